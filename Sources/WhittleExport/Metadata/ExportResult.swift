public import WhittleCore
public import WhittleOCI

/// What writing an image gave: its addresses, for `--iidfile`, `--metadata-file` and the progress display.
public struct ExportResult: Hashable, Sendable {
    /// What the image is known by: its manifest, with the platform and annotations, or the index around it.
    public var manifest: Descriptor
    /// The image configuration; `nil` for an index.
    public var configuration: Descriptor?
    public var names: [ImageReference]
    /// Whether it has no tags: it was pushed by its digest.
    public private(set) var isByDigest = false

    public init(manifest: Descriptor, configuration: Descriptor?, names: [ImageReference]) {
        self.manifest = manifest
        self.configuration = configuration
        self.names = names
    }

    /// Takes the tags away.
    mutating func nameByDigest() {
        isByDigest = true
        names = names.map { $0.only(manifest.digest) }
    }

    /// What Docker calls the image ID: the digest of the configuration, of an index that of the index.
    public var imageID: Digest { configuration?.digest ?? manifest.digest }
}

extension ExportResult {
    /// The content of `--iidfile` for the results of all outputs, without a line end: the image ID of the last output
    /// that is an image, and nothing where none is.
    ///
    /// buildx writes the same: the configuration's digest where there is one, else that of the index.
    public static func imageIDFile(_ results: [ExportResult]) -> String {
        results.last?.imageID.description ?? ""
    }

    /// The content of `--metadata-file` for the results of all outputs, as buildx writes it, ending in a line end.
    ///
    /// `containerimage.config.digest` unless the image is an index, `containerimage.digest`, `containerimage.descriptor` (an object with
    /// `mediaType`, `digest`, `size`, `annotations`, `platform`) and, for an image with names, `image.name` (full names
    /// with commas between them). Of several outputs that are images the last one counts; without any, the object is
    /// empty.
    public static func metadataFile(_ results: [ExportResult]) -> String {
        metadata(results).text(as: .pretty(sortsKeys: true)) + "\n"
    }

    /// The same for several targets: an object for each name.
    public static func metadataFile(ofTargets targets: [(name: String, results: [ExportResult])]) -> String {
        var metadata: JSONValue = .object(JSONObject())
        for target in targets { metadata[target.name] = Self.metadata(target.results) }
        return metadata.text(as: .pretty(sortsKeys: true)) + "\n"
    }

    private static func metadata(_ results: [ExportResult]) -> JSONValue {
        var metadata: JSONValue = [:]
        if let result = results.last {
            metadata["containerimage.config.digest"] = result.configuration.map { .string($0.digest.description) }
            metadata["containerimage.descriptor"] = result.manifest.json
            metadata["containerimage.digest"] = .string(result.manifest.digest.description)
        }
        if let named = results.last(where: { !$0.names.isEmpty }) {
            let names = named.names.map { named.isByDigest ? $0.name : $0.description }
            metadata["image.name"] = .string(names.joined(separator: ","))
        }
        return metadata
    }
}
