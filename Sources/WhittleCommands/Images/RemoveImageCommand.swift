internal import ArgumentParser
internal import WhittleCore
internal import WhittleExport
internal import WhittleMaintenance
internal import WhittleOCI
internal import WhittleStore

/// `whittle rmi`.
struct RemoveImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rmi",
        abstract: "Remove images, or names of images.",
        discussion: """
            An image with several names loses the one that is given; the image goes with its last name, or at once where \
            it is given by its ID. Prints what was done as docker does.
            """)

    @OptionGroup var store: StoreOptions

    @Flag(
        name: [.customShort("f"), .customLong("force")],
        help:
            "Remove images by their ID although they have several names, and take images that are not there for removed."
    )
    var force = false

    @Argument(help: ArgumentHelp("Names of images, image IDs, or beginnings of them.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            var failures: [any Error] = []
            var targets: [Descriptor] = []
            for text in images {
                do {
                    targets += try await remove(text)
                } catch let error as BuildError where error.code == .unknownImage && force {
                    ErrorText.warn(error)
                } catch {
                    failures.append(error)
                }
            }
            // What nothing else needs goes at once, as docker's users expect.
            if !targets.isEmpty { _ = try await Collector(storeAt: store.directory).collectImages(targets) }
            try ErrorText.throwAll(failures)
        }
    }

    private func remove(_ text: String) async throws -> [Descriptor] {
        guard let reader = try store.imageReader() else { throw ImageStoreReader.unknown(text, among: []) }
        let remover = ImageRemover(names: ImageNames(try StoreLayout(openingAt: store.directory)), reader: reader)
        let removal = try await remover.remove(text, isForced: force)
        for name in removal.untagged { print("Untagged: \(name.familiarName)") }
        if let id = removal.deleted { print("Deleted: \(id)") }
        return removal.targets
    }
}
