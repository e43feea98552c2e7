internal import ArgumentParser
internal import Glibc
internal import WhittleCache
internal import WhittleCore
internal import WhittleEngine
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleRegistry
internal import WhittleStore

/// `whittle push`.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Push an image of the store to a registry.",
        discussion: """
            The name says where the image goes, unless a destination is given. What the registry has is not sent again, \
            and what another of its repositories has is taken from there. An index goes with all of its images. Prints \
            tag, digest and size of the manifest, as docker does.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var registry: RegistryOptions

    @Flag(name: [.customShort("a"), .customLong("all-tags")], help: "Push all tags of the repository.")
    var allTags = false

    @Option(
        name: .customLong("digestfile"),
        help: ArgumentHelp("Write the digest of the pushed manifest to a file.", valueName: "path"), completion: .file()
    )
    var digestFile: String?

    @Option(
        help: ArgumentHelp(
            "How to show the push: tty (a live view), plain, quiet, rawjson, or auto: tty on a terminal, else plain.",
            valueName: "mode"))
    var progress = ProgressMode.auto

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print the name of the image and nothing else.")
    var quiet = false

    @Argument(
        help: ArgumentHelp(
            "A name of the image; with a destination also its ID or the beginning of it.", valueName: "image"))
    var image: String

    @Argument(
        help: ArgumentHelp(
            "Where it goes instead of where its name says: REGISTRY/NAME[:TAG], with or without 'docker://'.",
            valueName: "destination"))
    var destination: String?

    func validate() throws {
        guard !allTags || destination == nil else {
            throw ValidationError("--all-tags pushes under the names in the store: leave out the destination")
        }
        guard !allTags || digestFile == nil else {
            throw ValidationError("--all-tags may push several manifests, and --digestfile takes one digest")
        }
    }

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            if let digestFile { try OutputPlan.check(file: digestFile) }
            guard try store.imageReader() != nil else { throw ImageStoreReader.unknown(image, among: []) }
            let use = try StoreUse(store.directory)
            defer { use.close() }
            let requests = try PushRequest.all(
                image, to: destination, allTags: allTags, in: use)
            let mode =
                try quiet
                ? .quiet : progress.resolved(isTerminal: isatty(2) == 1, term: StoreOptions.variable("TERM"))
            let printer = ProgressPrinter(
                mode: mode, settings: TerminalProgress.Settings(noColor: false, variable: StoreOptions.variable))
            try await printer.whileShowing { try await push(requests, use, printer) }
            for line in requests.flatMap({ quiet ? $0.names.map(\.description) : $0.lines }) { print(line) }
            if let digestFile, let request = requests.last {
                try AtomicFile.write("\(request.target.digest)", to: digestFile, isDurable: false)
            }
        }
    }

    private func push(_ requests: [PushRequest], _ use: StoreUse, _ printer: ProgressPrinter) async throws {
        let database = try CacheDatabase(path: use.layout.database)
        let progress = PushProgress { printer.handle($0) }
        let pusher = ImagePusher(
            client: { [registry] in RegistryClient(settings: try registry.settings()) }, blobs: use.blobs,
            origins: KnownOrigins(database), report: progress.handle)
        do {
            try await pusher.check(requests.map(\.options))
            for request in requests {
                try await pusher.push(PushContents(of: request.target, in: use.blobs), to: request.options)
            }
        } catch {
            await pusher.end()
            progress.end()
            throw error
        }
        await pusher.end()
        progress.end()
    }
}
