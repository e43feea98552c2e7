internal import ArgumentParser
internal import Glibc
internal import WhittleAnalysis
internal import WhittleCore

/// `whittle diff`.
struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare two images in meaning: configuration, history, layers and files.",
        discussion: """
            \(ImageOpener.forms(ofDirectory: "; only its files are compared"))

            Times, and the digests that follow from them, are compared with --times only.

            --ignore takes sections (config, history, layers, files), fields (config.Labels, files.mode), one thing of a \
            field (config.Labels.version) and paths (files:/var/log/**, a pattern as in a .dockerignore).

            The exit status is 0 where the images are equal, 1 where they differ, and 2 where something is wrong.
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        name: .customLong("ignore"),
        help: ArgumentHelp("Do not compare these; several with commas, or the option again.", valueName: "field"))
    var ignored: [String] = []

    @Option(
        name: .customLong("only"),
        help: ArgumentHelp("Compare these sections only: config, history, layers, files.", valueName: "section"))
    var only: [String] = []

    @Flag(help: "Compare times as well, and the digests of layers.")
    var times = false

    @Option(
        help: ArgumentHelp(
            "The platform to take of images that are there for several: OS/ARCH[/VARIANT].", valueName: "platform"))
    var platform: String?

    @Option(help: ArgumentHelp("How to print: text, or json for one object.", valueName: "format"))
    var format = Format.text

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print nothing; the exit status tells.")
    var quiet = false

    @Option(
        name: .customLong("max-layer-size"),
        help: ArgumentHelp(
            "Refuse layers that unpack to more (default: $WHITTLE_MAX_LAYER_SIZE, else no limit).", valueName: "size"))
    var layerLimit: String?

    @Argument(help: ArgumentHelp("The first image.", valueName: "image"))
    var left: String

    @Argument(help: ArgumentHelp("The image to compare it with.", valueName: "image"))
    var right: String

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    /// The exit status for what differs.
    static let differentStatus: CInt = 1
    /// The exit status for what went wrong, as that of diff(1).
    static let troubleStatus: CInt = 2

    func run() async throws {
        let status = Status()
        try await ErrorText.reportingInterruptibly(failingWith: Self.troubleStatus) {
            let ignored = try ignoredFields()
            let opener = ImageOpener(
                storeDirectory: store.directory, platform: try ImageOpener.platform(platform),
                limits: try ImageOpener.limits(layerLimit))
            defer { opener.close() }
            async let first = opener.read(left)
            async let second = opener.read(right)
            let (a, b) = try await (first, second)
            let differences = ImageComparison.differences(a, b, ignoring: ignored)
            if !quiet {
                let report = DifferenceReport(left: a, right: b, differences: differences)
                StandardOutput.write(Array((format == .json ? report.json : report.text).utf8))
            }
            status.isDifferent = !differences.isEmpty
        }
        if status.isDifferent { throw ExitCode(Self.differentStatus) }
    }

    // SAFETY: written by the task that `run` waits for, and read after its end.
    private final class Status: @unchecked Sendable {
        var isDifferent = false
    }

    private func ignoredFields() throws(BuildError) -> IgnoredFields {
        var fields = IgnoredFields()
        fields.comparesTimes = times
        for text in ignored.flatMap({ Self.words($0) }) { try fields.ignore(text) }
        if !only.isEmpty { try fields.keepOnly(only.flatMap { Self.words($0) }) }
        return fields
    }

    private static func words(_ text: String) -> [String] {
        text.split(separator: ",").map { String($0.drop { $0 == " " }) }
    }

    /// Ends the process over arguments that cannot be understood, or that ask for help: where 1 says that images differ, a
    /// mistyped option must not say anything like it.
    static func exitForUsage(_ arguments: [String]) -> Never {
        do {
            _ = try WhittleCommand.parseAsRoot(arguments)
            preconditionFailure("arguments that are right were to be run")
        } catch {
            guard WhittleCommand.exitCode(for: error) != .success else { WhittleCommand.exit(withError: error) }
            ProgressPrinter.writeToStandardError(WhittleCommand.fullMessage(for: error) + "\n")
            Glibc.exit(troubleStatus)
        }
    }
}
