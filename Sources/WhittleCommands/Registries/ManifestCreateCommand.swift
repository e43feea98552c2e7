internal import ArgumentParser
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI
internal import WhittleRegistry

/// `whittle manifest create`.
struct ManifestCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make one index out of images for several platforms.",
        discussion: """
            Images are looked for in the store, then in their registries; of an index all entries are taken. A later image \
            takes the place of an earlier one for the same platform. The index gets its name in the store, with all of its \
            images, or with --push in the registry, which then gets what it does not have.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var registries: RegistryOptions

    @Option(
        name: .customLong("annotation"), parsing: .singleValue,
        help: ArgumentHelp(
            "Put an annotation on the index, or with manifest-descriptor[PLATFORM]: in front on entries.",
            valueName: "[place:]key=value"))
    var annotations: [String] = []

    @Flag(help: "Begin with what the name stands for now.")
    var append = false

    @Flag(help: "Push the index to the registry of its name.")
    var push = false

    @Flag(name: .customLong("dry-run"), help: "Print the index, and change nothing.")
    var dryRun = false

    @Argument(help: ArgumentHelp("The name of the index.", valueName: "name"))
    var name: String

    @Argument(help: ArgumentHelp("Names of images, or places as of 'whittle copy'.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            let reference = try ImagePulling.reference(name)
            let annotations = try ImageAnnotations(
                parsing: annotations.map { Self.hasPlace($0) ? $0 : "index:" + $0 })
            guard annotations.manifest.isEmpty else {
                throw BuildError.invalidArgument(
                    "--annotation", self.annotations.joined(separator: " "), "manifests of images stay as they are",
                    hint: "use index: or manifest-descriptor:")
            }
            let opener = ImageOpener(storeDirectory: store.directory, settings: { try registries.settings() })
            do {
                try await create(reference, annotations, opener)
                opener.close()
            } catch {
                opener.close()
                throw error
            }
        }
    }

    private static func hasPlace(_ annotation: String) -> Bool {
        let key = annotation.prefix { $0 != "=" }
        return ["index", "manifest"].contains { key.hasPrefix($0) } && key.contains(":")
    }

    /// An image with all that belongs to it.
    private struct Part: Sendable {
        let tree: ImageTree
        let source: any ImageTreeSource
    }

    private func create(
        _ reference: ImageReference, _ annotations: ImageAnnotations, _ opener: ImageOpener
    ) async throws {
        var parts: [Part] = []
        var assembly = IndexAssembly()
        if append {
            let place = push ? ImageOpener.Place.registry(reference) : try opener.place(of: "store:\(reference)")
            parts.append(try await part(of: place, opener))
        }
        for image in images { parts.append(try await part(of: try opener.placeOrRegistry(of: image), opener)) }
        for part in parts { try assembly.add(part.tree, platform: try await Self.platform(of: part)) }
        let index = assembly.document(annotations)
        guard !dryRun else {
            return print(try JSONValue(parsing: index.bytes).text(as: .pretty(indent: 2)))
        }
        if push {
            try await pushAll(parts, index, to: reference)
        } else {
            let use = try opener.store()
            let importer = ImageImporter(blobs: use.blobs, names: use.names, scratch: use.scratch)
            for part in parts { try await importer.bring(part.tree.contents, from: part.source) }
            let whole = ImageTree(index: index, over: parts.map(\.tree.contents))
            // Its blobs are there: only the index is new.
            try await importer.bring(whole, from: parts[0].source)
            try await importer.name(whole, [reference])
        }
        print("Created manifest list \(reference)\nDigest: \(index.descriptor.digest)")
    }

    private func part(of place: ImageOpener.Place, _ opener: ImageOpener) async throws -> Part {
        let source = try await opener.source(place)
        do {
            return Part(tree: try await .all(of: source), source: source)
        } catch let error as BuildError {
            throw ImageOpener.naming(place, source, error)
        }
    }

    /// What a single image runs on, by its own word.
    private static func platform(of part: Part) async throws -> Platform? {
        let root = part.tree.root
        guard !root.descriptor.mediaType.isIndex else { return nil }
        let manifest = try Manifest(parsing: root.bytes, mediaType: root.descriptor.mediaType)
        guard manifest.config.mediaType.isImageConfiguration else { return nil }
        let bytes = try await ImageTree.smallBlob(manifest.config, from: part.source)
        return try ImageConfiguration(parsing: bytes).platform
    }

    private func pushAll(_ parts: [Part], _ index: ImageTree.Document, to reference: ImageReference) async throws {
        let push = try RegistryClient(settings: registries.settings()).push(to: reference)
        let whole = ImageTree(index: index, over: parts.map(\.tree.contents))
        let blobs = parts.flatMap { part in
            let origins = [(part.source as? RegistryImageSource)?.origin].compactMap { $0 }
            return part.tree.blobs.map { PushBlob($0, from: part.source, origins: origins) }
        }
        let contents = PushTree(
            blobs: blobs, documents: whole.documents.map { PushDocument($0.bytes, as: $0.descriptor.mediaType) })
        do {
            try await push.push(contents, tags: [reference.tag].compactMap { $0 })
        } catch {
            await push.end()
            throw error
        }
        await push.end()
    }
}
