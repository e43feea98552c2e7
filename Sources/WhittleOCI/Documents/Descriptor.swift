public import WhittleCore

/// Says what a blob is, how long it is and what it hashes to.
///
/// Format: image-spec v1.1, `descriptor.md`; members that have no name here are not kept.
public struct Descriptor: Hashable, Sendable {
    public var mediaType: MediaType
    public var digest: Digest
    /// Bytes of the blob, never negative when read from a document.
    public var size: Int64
    /// In an index: what the image runs on.
    public var platform: Platform?
    public var annotations: [String: String]
    /// Where else the blob may be fetched from.
    public var urls: [String]
    /// The blob itself as base64, where the writer embedded it.
    public var data: String?
    public var artifactType: String?

    public init(
        mediaType: MediaType, digest: Digest, size: Int64, platform: Platform? = nil,
        annotations: [String: String] = [:], urls: [String] = [], data: String? = nil, artifactType: String? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.annotations = annotations
        self.urls = urls
        self.data = data
        self.artifactType = artifactType
    }

    /// Describes `bytes`.
    public init(of bytes: some Collection<UInt8>, as mediaType: MediaType) {
        self.init(mediaType: mediaType, digest: Digest(hashing: bytes), size: Int64(bytes.count))
    }

    /// An attestation manifest of an index, which no platform runs (BuildKit's convention).
    public var isAttestation: Bool { annotations["vnd.docker.reference.type"] == "attestation-manifest" }

    init(_ reader: DocumentReader) throws {
        let size = try reader.integer("size")
        guard let size else { throw reader.missing("size") }
        guard size >= 0 else { throw reader.problem("size", "a size cannot be negative, found \(size)") }
        self.init(
            mediaType: MediaType(rawValue: try reader.requiredString("mediaType")),
            digest: try reader.digest("digest"), size: size,
            platform: try reader.child("platform").map { try Platform($0) },
            annotations: try reader.stringMap("annotations") ?? [:], urls: try reader.strings("urls") ?? [],
            data: try reader.string("data"), artifactType: try reader.string("artifactType"))
    }

    /// The descriptor as it stands in a manifest or index.
    public var json: JSONValue {
        var value: JSONValue = [
            "mediaType": .string(mediaType.rawValue), "digest": .string(digest.description), "size": .integer(size),
        ]
        if let platform { value["platform"] = platform.json }
        if !annotations.isEmpty { value["annotations"] = .object(JSONObject(annotations)) }
        if !urls.isEmpty { value["urls"] = .array(urls.map { .string($0) }) }
        if let data { value["data"] = .string(data) }
        if let artifactType { value["artifactType"] = .string(artifactType) }
        return value
    }
}

extension Platform {
    /// Reads an index entry's platform. `os.features` and `features` are not kept.
    init(_ reader: DocumentReader) throws {
        self.init(
            os: try reader.requiredString("os"), architecture: try reader.requiredString("architecture"),
            variant: try reader.string("variant") ?? "", osVersion: try reader.string("os.version") ?? "")
    }

    /// The platform as it stands in a descriptor.
    public var json: JSONValue {
        var value: JSONValue = ["architecture": .string(architecture), "os": .string(os)]
        if !variant.isEmpty { value["variant"] = .string(variant) }
        if !osVersion.isEmpty { value["os.version"] = .string(osVersion) }
        return value
    }
}
