internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleMaintenance

/// `whittle du`.
struct DiskUsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "du",
        abstract: "Show what takes the space of the store.",
        discussion: """
            Least recently used last. RECLAIMABLE is what 'whittle prune --all' would remove. Sizes are disk space, as \
            du(1) counts it; the total includes the store's own files.
            """)

    /// The values of `--format`.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    @OptionGroup var store: StoreOptions

    @Flag(help: "Show all that is known of each object.")
    var verbose = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Only what passes, as for 'whittle prune'; also inuse= and reclaimable=.", valueName: "filter"))
    var filter: [String] = []

    @Option(help: ArgumentHelp("How to print: table, or json for one object a line.", valueName: "format"))
    var format = Format.table

    func run() async throws {
        do {
            let now = Timestamp.current
            let filters = try filter.map { try ObjectFilter(parsing: $0, now: now) }
            let inventory = store.exists ? try await Collector(storeAt: store.directory).inventory() : Inventory([])
            let listing = UsageListing(inventory, filters: filters, now: now)
            let text = format == .json ? listing.json : verbose ? listing.verbose : listing.table
            print(text, terminator: "")
        } catch {
            ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
            throw ExitCode.failure
        }
    }
}
