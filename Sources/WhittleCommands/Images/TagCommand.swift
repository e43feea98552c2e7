internal import ArgumentParser
internal import WhittleExport
internal import WhittleStore

/// `whittle tag`.
struct TagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Give an image another name.",
        discussion: "A name that another image had leaves it.")

    @OptionGroup var store: StoreOptions

    @Argument(help: ArgumentHelp("The image: a name, an image ID, or the beginning of one.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The new name; without a tag it gets 'latest'.", valueName: "name[:tag]"))
    var name: String

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            guard let reader = try store.imageReader() else { throw ImageStoreReader.unknown(image, among: []) }
            try await ImageTagger(names: ImageNames(StoreLayout(openingAt: store.directory)), reader: reader)
                .tag(image, as: name)
        }
    }
}
