internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI
internal import WhittleStore

/// `whittle images`.
struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List the images of the store.",
        discussion: "Newest first. SIZE is what the image's layers unpack to.")

    @OptionGroup var store: StoreOptions

    @ArgumentParser.Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print IDs and nothing else.")
    var quiet = false

    @ArgumentParser.Flag(name: .customLong("no-trunc"), help: "Print whole IDs.")
    var noTrunc = false

    @ArgumentParser.Flag(help: "Print digests of manifests as well.")
    var digests = false

    @Option(help: ArgumentHelp("table or json, an object a line.", valueName: "format"))
    var format = ListingFormat.table

    @Argument(help: ArgumentHelp("List images of this name only, with or without a tag.", valueName: "name"))
    var name: String?

    func run() throws {
        do {
            let reader = try ImageStoreReader(openingAt: store.directory)
            let listing = try reader.list()
            for problem in listing.problems { ProgressPrinter.writeToStandardError(ErrorText.of(problem) + "\n") }
            let images = try listing.images.filter { try matches($0.name) }
            var output = ImageListing(images: images, now: Timestamp(seconds: Int64(time(nil))))
            output.isShort = !noTrunc
            output.showsDigests = digests
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

    private func matches(_ reference: ImageReference) throws(BuildError) -> Bool {
        guard let name else { return true }
        do throws(ImageReference.Invalid) {
            let wanted = try ImageReference(parsing: name)
            let hasTag = name.split(separator: "/").last?.contains(":") == true
            return hasTag ? reference == wanted : reference.familiarRepository == wanted.familiarRepository
        } catch {
            throw .invalidImageReference(name, error)
        }
    }
}

/// How a list is printed.
enum ListingFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

extension ImageStoreReader {
    /// The images of the store at `root`.
    init(openingAt root: String) throws {
        let layout = try StoreLayout(openingAt: root)
        self.init(names: ImageNames(layout), blobs: BlobStore(layout))
    }
}
