internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleEngine
internal import WhittleOCI
internal import WhittleRegistry
internal import WhittleRuntime

/// `whittle pull`.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Bring images from registries into the store.",
        discussion: """
            Layers are unpacked while they arrive, so a build or run that uses the image starts at once. Builds take what the \
            store has under a name; 'whittle build --pull' asks the registry.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var registries: RegistryOptions

    @Option(help: ArgumentHelp("The image for this platform of several.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Flag(
        name: .customLong("all-platforms"),
        help: "The images for all platforms, and what is said about them, under one name.")
    var allPlatforms = false

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print the names and nothing else.")
    var quiet = false

    @Option(
        help: ArgumentHelp("How to show the transfer: auto, plain, tty, quiet, rawjson.", valueName: "mode"))
    var progress = ProgressMode.auto

    @Argument(help: ArgumentHelp("Names of images in registries.", valueName: "name[:tag|@digest]"))
    var names: [String]

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            let platform = try ImagePulling.platform(platform)
            let references = try names.map { try ImagePulling.reference($0) }
            let pulling = try ImagePulling(
                client: RegistryClient(settings: registries.settings()), platform: platform, all: allPlatforms,
                progress: quiet ? .quiet : progress)
            let opened = try BuildStore(openingAt: store.directory)
            var failures: [any Error] = []
            for reference in references {
                do {
                    let result = try await pulling.pull(reference, into: opened)
                    if !quiet { print(ImagePulling.report(result, of: reference), terminator: "") }
                    print(reference)
                } catch let error as BuildError {
                    failures.append(error)
                }
            }
            try opened.close()
            try ErrorText.throwAll(failures)
        }
    }
}

/// Pulls for a person who watches.
struct ImagePulling: Sendable {
    let client: RegistryClient
    /// `nil` for this machine's.
    let platform: Platform?
    let all: Bool
    let progress: ProgressMode

    /// Pulls, and shows how far it is on standard error.
    func pull(_ reference: ImageReference, into store: BuildStore) async throws -> ImagePull.Result {
        let mode = try progress.resolved(isTerminal: isatty(2) == 1, term: StoreOptions.variable("TERM"))
        let printer = ProgressPrinter(
            mode: mode, settings: TerminalProgress.Settings(noColor: false, variable: StoreOptions.variable))
        let source = try client.source(for: reference)
        return try await printer.whileShowing {
            try await ImagePull(store: store, report: { printer.handle($0) })
                .pull(reference, from: source, platform: platform ?? .host, all: all)
        }
    }

    /// What docker prints after a pull, without the name at the end.
    static func report(_ result: ImagePull.Result, of reference: ImageReference) -> String {
        let what = reference.tag ?? reference.digest.map { "\($0)" } ?? ""
        var lines = ["\(what): Pulling from \(reference.familiarRepository)"]
        lines += result.layers.map {
            "\($0.descriptor.digest.short): \($0.wasThere ? "Already exists" : "Pull complete")"
        }
        lines.append("Digest: \(result.digest)")
        lines.append(
            result.isNew
                ? "Status: Downloaded newer image for \(reference.familiarName)"
                : "Status: Image is up to date for \(reference.familiarName)")
        return lines.map { $0 + "\n" }.joined()
    }

    static func reference(_ text: String) throws(BuildError) -> ImageReference {
        do throws(ImageReference.Invalid) { return try ImageReference(parsing: text) } catch {
            throw .invalidImageReference(text, error)
        }
    }

    static func platform(_ text: String?) throws(BuildError) -> Platform? {
        guard let text else { return nil }
        guard let platform = Platform(parsing: text) else {
            throw .invalidArgument(
                "--platform", text, "it is no platform",
                hint: "the form is OS/ARCH[/VARIANT], such as linux/arm64")
        }
        return platform
    }
}
