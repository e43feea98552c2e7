internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleOCI

/// `whittle images`.
struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images",
        abstract: "List the images of the store.",
        discussion: """
            Newest first. SIZE is that of all layers, uncompressed; layers that images share count in each of them.

            Fields of --format: .Repository .Tag .ID .Digest .CreatedSince .CreatedAt .Size .Platform
            Filters: reference=PATTERN, label=KEY[=VALUE], before=IMAGE, since=IMAGE, until=TIME, dangling=true|false
            """)

    @OptionGroup var store: StoreOptions

    @Flag(
        name: [.customShort("a"), .customLong("all")],
        help: "Taken as docker does; there are no hidden images, so it changes nothing.")
    var all = false

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print image IDs and nothing else.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Do not shorten IDs.")
    var isWhole = false

    @Flag(help: "Show the digests of the manifests.")
    var digests = false

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .singleValue,
        help: ArgumentHelp("Only images that fit; may be given several times.", valueName: "key=value"))
    var filters: [String] = []

    @Option(help: ArgumentHelp("\(ListingFormat.help)", valueName: "format"))
    var format: String?

    @Argument(
        help: ArgumentHelp(
            "Only images of this repository, or with this name and tag; * and ? stand for any text without '/' and any "
                + "character.",
            valueName: "repository[:tag]"))
    var name: String?

    func run() throws {
        try ErrorText.reporting {
            let format = try ListingFormat(parsing: format)
            let now = Timestamp.current
            let filters = try ImageFilters(parsing: filters, now: now)
            let reader = try store.imageReader()
            let found = try reader?.list()
            for problem in found?.problems ?? [] { ErrorText.warn(problem) }
            var images = try filters.apply(to: found?.images ?? []) { text in
                guard let reader else { throw ImageStoreReader.unknown(text, among: []) }
                return try reader.find(text).configuration.created
            }
            if let name { images = try named(name, images, all: found?.images.compactMap { $0.name } ?? []) }
            let listing = ImageListing(images: images, now: now, isShort: !isWhole, showsDigests: digests)
            if case .table = format, quiet {
                print(listing.ids, terminator: "")
            } else {
                print(try listing.listing.text(format), terminator: "")
            }
        }
    }

    private func named(
        _ name: String, _ images: [StoredImage], all: [ImageReference]
    ) throws -> [StoredImage] {
        let filter = ImageNameFilter(name)
        let fitting = images.filter { $0.name.map(filter.accepts) ?? false }
        // Scripts ask 'images -q NAME' whether there is one, and a pattern may well match nothing.
        if fitting.isEmpty, !quiet, !filter.isPattern, filters.isEmpty {
            throw ImageStoreReader.unknown(name, among: all)
        }
        return fitting
    }
}

extension StoreOptions {
    /// Reads the store's images; `nil` where there is no store yet, which is not made for looking at it.
    func imageReader() throws -> ImageStoreReader? {
        guard access(directory, F_OK) == 0 else { return nil }
        return try ImageStoreReader(storeAt: directory)
    }
}

extension Timestamp {
    /// The clock of the system.
    static var current: Timestamp {
        let now = FileTime.now
        return Timestamp(seconds: now.seconds, nanoseconds: Int32(now.nanoseconds))
    }
}
