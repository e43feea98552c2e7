public import WhittleCore

/// An image's platform, run settings, layers by content, and history.
///
/// Format: image-spec v1.1, `config.md`, with Docker's `Healthcheck`, `Shell`, `OnBuild` and `ArgsEscaped`. Members that
/// have no name here are kept and written again, so that a build on top of a base image loses nothing of it.
public struct ImageConfiguration: Hashable, Sendable {
    public var architecture: String
    public var os: String
    /// Empty where the architecture has no variant.
    public var variant: String
    /// Windows only; empty otherwise.
    public var osVersion: String
    public var created: Timestamp?
    public var author: String?
    /// How a container of the image runs.
    public var config: ContainerConfiguration
    /// The digests of the uncompressed layers, lowest first.
    public var diffIDs: [Digest]
    /// One entry for each step that made the image, oldest first.
    public var history: [HistoryEntry]
    /// Members that have no name here, in their order.
    public var otherMembers: JSONObject

    /// An image without layers that runs on `platform`.
    public init(platform: Platform) {
        architecture = platform.architecture
        os = platform.os
        variant = platform.variant
        osVersion = platform.osVersion
        config = ContainerConfiguration()
        diffIDs = []
        history = []
        otherMembers = JSONObject()
    }

    /// Reads a configuration.
    ///
    /// An image without `rootfs` has no layers. `os` and `architecture` must be there.
    ///
    /// - Throws: `malformed-document` with the member that is wrong.
    public init(parsing bytes: some Collection<UInt8>) throws {
        let reader = try DocumentReader("image configuration", parsing: bytes)
        architecture = try reader.requiredString("architecture")
        os = try reader.requiredString("os")
        variant = try reader.string("variant") ?? ""
        osVersion = try reader.string("os.version") ?? ""
        created = try reader.timestamp("created")
        author = try reader.string("author")
        config = try reader.child("config").map { try ContainerConfiguration($0) } ?? ContainerConfiguration()
        let rootfs = try reader.child("rootfs")
        if let rootfs, let type = try rootfs.string("type"), type != "layers" {
            throw rootfs.problem("type", "expected 'layers', found '\(type.prefix(64))'")
        }
        diffIDs = try rootfs?.digests("diff_ids") ?? []
        history = try reader.children("history")?.map { try HistoryEntry($0) } ?? []
        otherMembers = reader.others(than: Self.members)
    }

    private static let members: Set<String> = [
        "architecture", "os", "variant", "os.version", "created", "author", "config", "rootfs", "history",
    ]

    /// What the image runs on.
    public var platform: Platform {
        Platform(os: os, architecture: architecture, variant: variant, osVersion: osVersion)
    }

    /// The chainID of all layers; `nil` for an image without layers.
    public var chainID: Digest? { ChainID.of(diffIDs) }

    /// The configuration as a JSON value.
    public var json: JSONValue {
        var value: JSONValue = .object(otherMembers)
        value["architecture"] = .string(architecture)
        value["os"] = .string(os)
        if !variant.isEmpty { value["variant"] = .string(variant) }
        if !osVersion.isEmpty { value["os.version"] = .string(osVersion) }
        if let created { value["created"] = .string(created.rfc3339) }
        if let author { value["author"] = .string(author) }
        value["config"] = config.json
        value["rootfs"] = ["type": "layers", "diff_ids": .array(diffIDs.map { .string($0.description) })]
        if !history.isEmpty { value["history"] = .array(history.map { $0.json }) }
        return value
    }

    /// The canonical bytes; their digest is what Docker calls the image ID.
    public func encoded() -> [UInt8] { json.encoded() }
}

/// One step in an image's making, as `docker history` shows it.
public struct HistoryEntry: Hashable, Sendable {
    public var created: Timestamp?
    /// The command, for example `RUN /bin/sh -c make # buildkit`.
    public var createdBy: String?
    public var comment: String?
    public var author: String?
    /// The step made no layer.
    public var isEmptyLayer: Bool

    public init(
        created: Timestamp? = nil, createdBy: String? = nil, comment: String? = nil, author: String? = nil,
        isEmptyLayer: Bool = false
    ) {
        self.created = created
        self.createdBy = createdBy
        self.comment = comment
        self.author = author
        self.isEmptyLayer = isEmptyLayer
    }

    init(_ reader: DocumentReader) throws {
        self.init(
            created: try reader.timestamp("created"), createdBy: try reader.string("created_by"),
            comment: try reader.string("comment"), author: try reader.string("author"),
            isEmptyLayer: try reader.bool("empty_layer") ?? false)
    }

    var json: JSONValue {
        var value: JSONValue = [:]
        if let created { value["created"] = .string(created.rfc3339) }
        if let createdBy { value["created_by"] = .string(createdBy) }
        if let comment { value["comment"] = .string(comment) }
        if let author { value["author"] = .string(author) }
        if isEmptyLayer { value["empty_layer"] = true }
        return value
    }
}
