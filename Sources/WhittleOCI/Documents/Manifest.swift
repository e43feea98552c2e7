internal import WhittleCore

/// The list of an image's parts: its configuration and its layers, lowest first.
///
/// Format: image-spec v1.1, `manifest.md`, and Docker's schema 2, which has the same members.
public struct Manifest: Hashable, Sendable {
    public var mediaType: MediaType
    public var artifactType: String?
    public var config: Descriptor
    /// Lowest layer first.
    public var layers: [Descriptor]
    /// The manifest that this one is about.
    public var subject: Descriptor?
    public var annotations: [String: String]

    public init(
        mediaType: MediaType = .ociManifest, artifactType: String? = nil, config: Descriptor, layers: [Descriptor],
        subject: Descriptor? = nil, annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.artifactType = artifactType
        self.config = config
        self.layers = layers
        self.subject = subject
        self.annotations = annotations
    }

    /// Reads a manifest.
    ///
    /// - Parameter mediaType: what the bytes came as, for documents that do not say it themselves.
    /// - Throws: `malformed-document` with the member that is wrong, `unsupported-manifest` for schema 1 and for an
    ///   index.
    public init(parsing bytes: some Collection<UInt8>, mediaType: MediaType? = nil) throws {
        let reader = try DocumentReader("image manifest", parsing: bytes)
        let type = try reader.manifestType(default: mediaType, fallback: .ociManifest)
        guard type.isManifest else { throw BuildError.unsupportedManifest(type.rawValue) }
        // One digest must not name two things: what has both lists could be read as either (CVE-2021-41190).
        guard reader.object["manifests"] == nil else {
            throw reader.problem("manifests", "an image manifest must not also be an index")
        }
        guard let config = try reader.child("config") else { throw reader.missing("config") }
        // BuildKit writes `null` for an image without layers, as Go does for an empty list.
        guard reader.object["layers"] != nil else { throw reader.missing("layers") }
        let layers = try reader.children("layers") ?? []
        self.init(
            mediaType: type, artifactType: try reader.string("artifactType"), config: try Descriptor(config),
            layers: try layers.map { try Descriptor($0) },
            subject: try reader.child("subject").map { try Descriptor($0) },
            annotations: try reader.stringMap("annotations") ?? [:])
    }

    /// The manifest as a JSON value.
    public var json: JSONValue {
        var value: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(mediaType.rawValue), "config": config.json,
            "layers": .array(layers.map { $0.json }),
        ]
        if let artifactType { value["artifactType"] = .string(artifactType) }
        if let subject { value["subject"] = subject.json }
        if !annotations.isEmpty { value["annotations"] = .object(JSONObject(annotations)) }
        return value
    }

    /// The canonical bytes; their digest is the manifest's name.
    public func encoded() -> [UInt8] { json.encoded() }
}

extension DocumentReader {
    /// The media type of a manifest or index: its own member, then `outer`, then what its members say.
    func manifestType(default outer: MediaType?, fallback: MediaType) throws -> MediaType {
        let version = try integer("schemaVersion")
        if version == 1 { throw BuildError.schemaOneManifest() }
        guard version == 2 else {
            throw version == nil
                ? missing("schemaVersion") : problem("schemaVersion", "expected 2, found \(version ?? 0)")
        }
        if let own = try string("mediaType"), !own.isEmpty {
            // The one in the document is hashed with it, so it is the one to believe; two different ones are refused.
            if let outer, outer.isManifest || outer.isIndex, outer.rawValue != own {
                throw problem("mediaType", "'\(own.prefix(128))' contradicts '\(outer)', which it was sent as")
            }
            return MediaType(rawValue: own)
        }
        if let outer, outer.isManifest || outer.isIndex { return outer }
        return fallback
    }
}
