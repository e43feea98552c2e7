internal import ArgumentParser
internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem

/// `whittle history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the steps that made an image, newest first.",
        discussion: """
            SIZE is that of the layer that a step made, uncompressed. Steps in between are no images of their own and have \
            no ID: <missing>.
            """)

    @OptionGroup var store: StoreOptions

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print image IDs and nothing else.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Do not shorten IDs and commands.")
    var isWhole = false

    @Flag(
        name: [.customShort("H"), .customLong("human")], inversion: .prefixedNo,
        help: "Print sizes and times for people; --no-human prints bytes and dates.")
    var human = true

    @Option(help: ArgumentHelp("How to print: table, or json for one object a line.", valueName: "format"))
    var format = ListingFormat.table

    @Argument(help: ArgumentHelp("The image: a name, an image ID, or the beginning of one.", valueName: "image"))
    var image: String

    func run() throws {
        try ErrorText.reporting {
            guard let image = try store.imageReader()?.find(image) else {
                throw ImageStoreReader.unknown(image, among: [])
            }
            let text = HistoryListing(
                steps: image.steps, now: .current, isShort: !isWhole, isHuman: human)
            print(quiet ? text.ids : format == .json ? text.json : text.table, terminator: "")
        }
    }
}
