internal import ArgumentParser
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleRegistry

/// `whittle copy`.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copy an image between registries, layouts, archives and the store.",
        discussion: """
            Places are skopeo's: docker://NAME in a registry, oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG], \
            docker-archive:FILE[:NAME]; store:NAME or a name alone is an image of the store. Manifests stay as they are, byte \
            for byte. Of an image for several platforms the one for this machine is copied, or with --all everything.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var registries: RegistryOptions

    @Flag(
        name: [.customShort("a"), .customLong("all")],
        help: "Copy the images for all platforms, and what is said about them.")
    var all = false

    @Option(help: ArgumentHelp("Copy the image for this platform of several.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Option(
        name: .customLong("src-tls-verify"),
        help: ArgumentHelp("As --tls-verify, for the source alone.", valueName: "true|false"))
    var verifiesSource: Bool?

    @Option(
        name: .customLong("dest-tls-verify"),
        help: ArgumentHelp("As --tls-verify, for the destination alone.", valueName: "true|false"))
    var verifiesDestination: Bool?

    @Option(
        name: .customLong("src-authfile"),
        help: ArgumentHelp("As --authfile, for the source alone.", valueName: "path"), completion: .file())
    var sourceFile: String?

    @Option(
        name: .customLong("dest-authfile"),
        help: ArgumentHelp("As --authfile, for the destination alone.", valueName: "path"), completion: .file())
    var destinationFile: String?

    @Option(
        name: .customLong("digestfile"),
        help: ArgumentHelp("Write the digest of what was copied to a file.", valueName: "path"), completion: .file())
    var digestFile: String?

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print nothing but errors.")
    var quiet = false

    @Argument(help: ArgumentHelp("Where the image is.", valueName: "source"))
    var source: String

    @Argument(help: ArgumentHelp("Where it goes.", valueName: "destination"))
    var destination: String

    func validate() throws {
        if all, platform != nil { throw ValidationError("--all and --platform exclude each other") }
    }

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            let place = try ImagePlace(parsing: destination)
            let platform = try ImagePulling.platform(platform)
            let opener = ImageOpener(
                storeDirectory: store.directory,
                settings: { try registries.settings(verifiesTLS: verifiesSource, authenticationFile: sourceFile) })
            do {
                let digest = try await copy(from: opener.place(of: source), opener, to: place, platform)
                if let digestFile { try AtomicFile.write("\(digest)", to: digestFile, isDurable: false) }
                opener.close()
            } catch {
                opener.close()
                throw error
            }
        }
    }

    private func copy(
        from origin: ImageOpener.Place, _ opener: ImageOpener, to place: ImagePlace, _ platform: Platform?
    ) async throws -> Digest {
        let source = try await opener.source(origin)
        do {
            var copy = ImageCopy(tree: try await tree(of: source, platform), source: source)
            if let registry = source as? RegistryImageSource { copy.origins = [registry.origin].compactMap { $0 } }
            if !quiet { copy.report = { print($0) } }
            try await copy.write(
                to: place,
                client: {
                    RegistryClient(
                        settings: try registries.settings(
                            verifiesTLS: verifiesDestination, authenticationFile: destinationFile))
                }, store: { try opener.store() })
            return copy.tree.root.descriptor.digest
        } catch let error as BuildError {
            throw ImageOpener.naming(origin, source, error)
        }
    }

    private func tree(of source: any ImageTreeSource, _ platform: Platform?) async throws -> ImageTree {
        if all { return try await .all(of: source) }
        if let platform { return try await .image(for: platform, of: source) }
        return try await .one(of: source, preferring: .host)
    }
}
