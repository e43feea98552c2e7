internal import WhittleCore
internal import WhittleOCI

/// One image of `manifest.json` (Docker image specification v1.2).
struct DockerArchiveEntry {
    /// Names of files in the archive.
    let configuration: String
    /// Lowest first.
    let layers: [String]
    let names: [ImageReference]

    /// Reads the document.
    ///
    /// - Throws: `malformed-document`, `invalid-image-archive`, `invalid-image-reference`.
    static func list(parsing bytes: [UInt8]) throws -> [DockerArchiveEntry] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw BuildError.invalidImageArchive("its 'manifest.json' is no JSON: \(error)")
        }
        guard let entries = value.array, !entries.isEmpty else {
            throw BuildError.invalidImageArchive("its 'manifest.json' is no list of images")
        }
        return try entries.map { entry in
            guard let configuration = entry["Config"]?.string,
                let layers = entry["Layers"].map({ $0.isNull ? [] : $0.array }) ?? [],
                let tags = entry["RepoTags"].map({ $0.isNull ? [] : $0.array }) ?? []
            else {
                throw BuildError.invalidImageArchive("its 'manifest.json' has an image without 'Config' and 'Layers'")
            }
            return DockerArchiveEntry(
                configuration: configuration, layers: try layers.map { try text($0) },
                names: try tags.map { try ArchiveReader.reference(text($0)) })
        }
    }

    private static func text(_ value: JSONValue) throws -> String {
        guard let text = value.string else {
            throw BuildError.invalidImageArchive("its 'manifest.json' has \(value.kind) where a name is expected")
        }
        return text
    }
}
