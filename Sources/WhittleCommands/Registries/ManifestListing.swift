internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleRegistry

/// A manifest or index for a person.
struct ManifestListing {
    let name: String
    let descriptor: Descriptor
    let document: JSONValue
    private let index: Index?
    private let manifest: Manifest?

    /// - Throws: `malformed-document`, `unsupported-manifest`.
    init(name: String, descriptor: Descriptor, bytes: [UInt8]) throws {
        self.name = name
        document = try JSONValue(parsing: bytes)
        // What has both or neither member is refused by either reader.
        let isIndex = document["manifests"] != nil
        index = isIndex ? try Index(parsing: bytes, mediaType: descriptor.mediaType) : nil
        manifest = isIndex ? nil : try Manifest(parsing: bytes, mediaType: descriptor.mediaType)
        var own = descriptor
        own.mediaType = index?.mediaType ?? manifest?.mediaType ?? descriptor.mediaType
        own.size = Int64(bytes.count)
        self.descriptor = own
    }

    /// Lines as docker's `imagetools inspect` prints them.
    var text: String {
        var text = Self.lines(
            [("Name", name), ("MediaType", descriptor.mediaType.rawValue), ("Digest", "\(descriptor.digest)")], "")
        if let index {
            text += Self.annotations(index.annotations)
            text += "\nManifests:\n"
            text += index.manifests.map { entry in
                Self.lines(
                    [
                        ("Digest", "\(entry.digest)"), ("MediaType", entry.mediaType.rawValue),
                        ("Size", "\(entry.size)"), ("Platform", entry.platform.map { "\($0)" } ?? "-"),
                    ], "  ") + Self.annotations(entry.annotations, "  ")
            }.joined(separator: "\n")
        }
        if let manifest {
            text += Self.annotations(manifest.annotations)
            text += "\nConfig:\n" + Self.part(manifest.config)
            text += "\nLayers:\n" + manifest.layers.map { Self.part($0) }.joined()
        }
        return text
    }

    /// What a template sees.
    func record(_ source: any ImageTreeSource, _ platform: Platform, _ template: Template) async throws
        -> TemplateRecord
    {
        var record = TemplateRecord()
        record.add("Name", .text(name))
        record.add("Digest", .text("\(descriptor.digest)"))
        record.add("MediaType", .text(descriptor.mediaType.rawValue))
        record.add("Size", .integer(descriptor.size))
        record.add("Manifest", Self.value(document))
        // Fetched only where it is asked for: an artifact has none.
        if template.source.contains(".Image") {
            let image = try await source.resolve(platform)
            record.add("Image", Self.value(try JSONValue(parsing: image.configurationBytes)))
        }
        return record
    }

    private static func value(_ json: JSONValue) -> TemplateValue {
        switch json {
        case .null: .none
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value.value)
        case .string(let text): .text(text)
        case .array(let elements): .list(elements.map { value($0) })
        case .object(let object):
            .map(Dictionary(object.members.map { ($0.key, value($0.value)) }) { first, _ in first })
        }
    }

    private static func part(_ part: Descriptor) -> String {
        "  \(part.digest)  \(part.size)  \(BuildError.printable(part.mediaType.rawValue))\n"
    }

    private static func lines(_ fields: [(String, String)], _ indent: String) -> String {
        fields.map { name, value in
            indent + "\(name):" + String(repeating: " ", count: 11 - name.utf8.count) + BuildError.printable(value)
                + "\n"
        }.joined()
    }

    private static func annotations(_ annotations: [String: String], _ indent: String = "") -> String {
        guard !annotations.isEmpty else { return "" }
        return "\(indent)Annotations:\n"
            + annotations.sorted { $0.key < $1.key }.map { key, value in
                "\(indent)  \(BuildError.printable(key)): \(BuildError.printable(value))\n"
            }.joined()
    }
}
