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

            Fields of --format: .ID .CreatedSince .CreatedAt .CreatedBy .Size .Comment
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

    @Option(help: ArgumentHelp("\(ListingFormat.help)", valueName: "format"))
    var format: String?

    @Option(
        help: ArgumentHelp(
            "Of an image for several platforms, the one for this platform.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Argument(help: ArgumentHelp("The image: a name, an image ID, or the beginning of one.", valueName: "image"))
    var image: String

    func run() throws {
        try ErrorText.reporting {
            let format = try ListingFormat(parsing: format)
            guard let image = try store.imageReader()?.choosing(PlatformArgument.platform(platform)).find(image) else {
                throw ImageStoreReader.unknown(image, among: [])
            }
            // What reads JSON can shorten texts by itself.
            let isShort = if case .json = format { false } else { !isWhole }
            let text = HistoryListing(steps: image.steps, now: .current, isShort: isShort, isHuman: human)
            if case .table = format, quiet {
                print(text.ids, terminator: "")
            } else {
                print(try text.listing.text(format), terminator: "")
            }
        }
    }
}
