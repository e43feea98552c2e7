internal import ArgumentParser
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI
internal import WhittleRegistry

/// `whittle manifest inspect`.
struct ManifestInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a name stands for: a manifest, or an index of several.",
        discussion: """
            Of an image of the store, else of a registry; also oci:, oci-archive:, docker-archive: and docker://. Fields of \
            --format: .Name, .Digest, .MediaType, .Size, .Manifest (the document), .Image (the configuration for the \
            platform), as in '{{json .Manifest}}'.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var registries: RegistryOptions

    @Flag(help: "Print the document as it is, byte for byte.")
    var raw = false

    @Option(
        name: [.customShort("f"), .customLong("format")],
        help: ArgumentHelp("How to print: json for the document, or a template.", valueName: "format"))
    var format: String?

    @Option(help: ArgumentHelp("Whose configuration .Image is.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Argument(help: ArgumentHelp("A name or a place.", valueName: "image"))
    var image: String

    func validate() throws {
        if raw, format != nil { throw ValidationError("--raw and --format exclude each other") }
    }

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            let platform = try ImagePulling.platform(platform)
            let template = try format.flatMap { $0 == "json" || $0.isEmpty ? nil : $0 }
                .map { text throws(BuildError) in try Template(parsing: text, hasEscapes: true) }
            let opener = ImageOpener(storeDirectory: store.directory, settings: { try registries.settings() })
            defer { opener.close() }
            let place = try opener.placeOrRegistry(of: image)
            let source = try await opener.source(place)
            do {
                let (descriptor, bytes) = try await source.root()
                if raw { return StandardOutput.write(bytes) }
                let listing = try ManifestListing(name: image, descriptor: descriptor, bytes: bytes)
                if let template {
                    print(try template.text(of: .record(try await listing.record(source, platform ?? .host, template))))
                } else if format == "json" {
                    print(listing.document.text(as: .pretty(indent: 2)))
                } else {
                    print(listing.text, terminator: "")
                }
            } catch let error as BuildError {
                throw ImageOpener.naming(place, source, error)
            }
        }
    }
}

extension ImageOpener {
    /// As ``place(of:)``; a name that is of nothing here is one of a registry.
    func placeOrRegistry(of text: String) throws -> Place {
        do {
            return try place(of: text)
        } catch let error as BuildError where error.code == .unknownImage {
            guard let reference = try? ImageReference(parsing: text) else { throw error }
            return .registry(reference)
        }
    }
}
