internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleExport

/// `whittle history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the steps that made an image, newest first.")

    @OptionGroup var store: StoreOptions

    @ArgumentParser.Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print IDs and nothing else.")
    var quiet = false

    @ArgumentParser.Flag(name: .customLong("no-trunc"), help: "Print whole commands and IDs.")
    var noTrunc = false

    @ArgumentParser.Flag(
        name: [.customShort("H"), .customLong("human")], inversion: .prefixedNo,
        help: "Print sizes and times for people.")
    var human = true

    @Option(help: ArgumentHelp("table or json, an object a line.", valueName: "format"))
    var format = ListingFormat.table

    @Argument(help: ArgumentHelp("A name, an ID, or the beginning of one.", valueName: "image"))
    var image: String

    func run() throws {
        do {
            let image = try ImageStoreReader(openingAt: store.directory).find(image)
            var output = HistoryListing(steps: image.steps, now: Timestamp(seconds: Int64(time(nil))))
            output.isShort = !noTrunc
            output.isHuman = human
            let text =
                switch (quiet, format) {
                case (true, _): output.ids
                case (false, .json): output.json
                case (false, .table): output.table
                }
            print(text, terminator: "")
        } catch let error as BuildError {
            ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
            throw ExitCode.failure
        }
    }
}
