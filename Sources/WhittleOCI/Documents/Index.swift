public import WhittleCore

/// A list of manifests, one for each platform.
///
/// Format: image-spec v1.1, `image-index.md`, and Docker's manifest list, which has the same members.
public struct Index: Hashable, Sendable {
    public var mediaType: MediaType
    public var artifactType: String?
    public var manifests: [Descriptor]
    public var subject: Descriptor?
    public var annotations: [String: String]

    public init(
        mediaType: MediaType = .ociIndex, artifactType: String? = nil, manifests: [Descriptor],
        subject: Descriptor? = nil, annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.artifactType = artifactType
        self.manifests = manifests
        self.subject = subject
        self.annotations = annotations
    }

    /// Reads an index or manifest list.
    ///
    /// - Parameter mediaType: what the bytes came as, for documents that do not say it themselves.
    /// - Throws: `malformed-document` with the member that is wrong, `unsupported-manifest` for anything else.
    public init(parsing bytes: some Collection<UInt8>, mediaType: MediaType? = nil) throws {
        let reader = try DocumentReader("image index", parsing: bytes)
        let type = try reader.manifestType(default: mediaType, fallback: .ociIndex)
        guard type.isIndex else { throw BuildError.unsupportedManifest(type.rawValue) }
        for member in ["config", "layers"] where reader.object[member] != nil {
            throw reader.problem(member, "an image index must not also be an image manifest")
        }
        guard let manifests = try reader.children("manifests") else { throw reader.missing("manifests") }
        self.init(
            mediaType: type, artifactType: try reader.string("artifactType"),
            manifests: try manifests.map { try Descriptor($0) },
            subject: try reader.child("subject").map { try Descriptor($0) },
            annotations: try reader.stringMap("annotations") ?? [:])
    }

    /// The index as a JSON value.
    public var json: JSONValue {
        var value: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(mediaType.rawValue),
            "manifests": .array(manifests.map { $0.json }),
        ]
        if let artifactType { value["artifactType"] = .string(artifactType) }
        if let subject { value["subject"] = subject.json }
        if !annotations.isEmpty { value["annotations"] = .object(JSONObject(annotations)) }
        return value
    }

    /// The canonical bytes; their digest is the index's name.
    public func encoded() -> [UInt8] { json.encoded() }

    /// The entries that may hold an image for `platform`, best first: the same platform, then older variants that it
    /// also runs (arm `v7` runs `v6`, amd64 `v3` runs `v2`), then entries that do not say what they run on.
    ///
    /// Another architecture is never offered, even where the processor could run it (386 on amd64).
    public func candidates(for platform: Platform) -> [Descriptor] {
        let images = manifests.filter { !$0.isAttestation }
        let fitting = platform.andOlderVariants.flatMap { wanted in
            images.filter { $0.platform?.satisfies(wanted) ?? false }
        }
        return fitting + images.filter { $0.platform == nil }
    }

    /// The platforms that the entries name, without attestations and repetitions, in their order.
    public var platforms: [Platform] {
        var seen: Set<Platform> = []
        return manifests.filter { !$0.isAttestation }.compactMap { $0.platform }.filter { seen.insert($0).inserted }
    }
}

extension Platform {
    /// This platform, and the ones with older variants of its architecture, newest first.
    var andOlderVariants: [Platform] {
        let variants: [String]
        switch architecture {
        case "amd64": variants = ["v4", "v3", "v2", ""]
        case "arm": variants = ["v8", "v7", "v6", "v5"]
        case "arm64": variants = ["v9", ""]
        default: return [self]
        }
        let own = architecture == "arm" && variant.isEmpty ? "v7" : variant
        guard let start = variants.firstIndex(of: own) else { return [self] }
        return variants[start...].map {
            Platform(os: os, architecture: architecture, variant: $0, osVersion: osVersion)
        }
    }
}
