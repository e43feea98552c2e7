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
            """)

    @OptionGroup var store: StoreOptions

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print image IDs and nothing else.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Do not shorten IDs.")
    var isWhole = false

    @Flag(help: "Show the digests of the manifests.")
    var digests = false

    @Option(help: ArgumentHelp("How to print: table, or json for one object a line.", valueName: "format"))
    var format = ListingFormat.table

    @Argument(
        help: ArgumentHelp(
            "Only images of this repository, or with this name and tag; * and ? stand for any text without '/' and any "
                + "character.",
            valueName: "repository[:tag]"))
    var name: String?

    func run() throws {
        try ErrorText.reporting {
            let reader = try store.imageReader()
            let listing = try reader?.list()
            for problem in listing?.problems ?? [] { ErrorText.warn(problem) }
            var images = listing?.images ?? []
            if let name {
                let filter = ImageNameFilter(name)
                let all = images.map { $0.name }
                images = images.filter { filter.accepts($0.name) }
                // Scripts ask 'images -q NAME' whether there is one, and a pattern may well match nothing.
                if images.isEmpty, !quiet, !filter.isPattern {
                    throw ImageStoreReader.unknown(name, among: all)
                }
            }
            let text = ImageListing(
                images: images, now: .current, isShort: !isWhole, showsDigests: digests)
            print(quiet ? text.ids : format == .json ? text.json : text.table, terminator: "")
        }
    }
}

/// The values of `--format`.
enum ListingFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// The argument of `whittle images`: docker's filter `reference`.
struct ImageNameFilter {
    private let pattern: String

    init(_ pattern: String) { self.pattern = pattern }

    /// Whether there is anything in it that stands for other text.
    var isPattern: Bool { pattern.contains { $0 == "*" || $0 == "?" || $0 == "[" } }

    /// Whether the name, with or without its tag, in docker's short form or in full, is what was asked for.
    func accepts(_ name: ImageReference) -> Bool {
        [name.familiarName, name.familiarRepository, name.description, name.name].contains { (text: String) in
            // A name is a path: '*' does not go beyond a slash.
            fnmatch(pattern, text, FNM_PATHNAME) == 0
        }
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
