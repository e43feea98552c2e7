internal import ArgumentParser

/// `whittle image`: the commands for images under docker's other names.
struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Work with images: ls, history, inspect, tag, rm, save, load, push.",
        subcommands: [
            List.self, HistoryCommand.self, InspectCommand.self, TagCommand.self, Remove.self, SaveCommand.self,
            LoadCommand.self, PushCommand.self,
        ])

    /// `whittle image ls`, as `whittle images`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: ImagesCommand.configuration.abstract,
            discussion: ImagesCommand.configuration.discussion, aliases: ["list"])

        @OptionGroup var command: ImagesCommand

        func run() throws { try command.run() }
    }

    /// `whittle image rm`, as `whittle rmi`.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: RemoveImageCommand.configuration.abstract,
            discussion: RemoveImageCommand.configuration.discussion, aliases: ["remove"])

        @OptionGroup var command: RemoveImageCommand

        func run() async throws { try await command.run() }
    }
}
