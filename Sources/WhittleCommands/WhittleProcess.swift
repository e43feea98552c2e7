internal import ArgumentParser
internal import WhittleFileSystem
internal import WhittleRuntime

/// What `main` does before there is a second thread.
package enum WhittleProcess {
    /// Enters private namespaces where the command runs steps, so that its mounts and containers end with the process.
    /// For an ordinary user also where it reads or removes files of steps: in the store they belong to users that only
    /// exist in there.
    ///
    /// Decided by the first argument: arguments are parsed later, on Swift's threads.
    package static func enterNamespacesIfNeeded(_ arguments: [String] = CommandLine.arguments) {
        let command = arguments.dropFirst().first { !$0.hasPrefix("-") }
        let asksForHelp = arguments.contains { ["-h", "--help", "--version"].contains($0) }
        // What follows the image of a 'run' belongs to the container, '--help' included.
        let builds = command == "build" || command == "bake"
        let onlyLists =
            command == "bake" && arguments.contains { $0 == "--print" || $0 == "--list" || $0.hasPrefix("--list=") }
        let runsSteps = command == "run" || builds && !asksForHelp && !onlyLists && !CallRequest.isRead(arguments)
        let onlyReads = readsDocuments.contains(command ?? "") || builds
        if runsSteps || !StartingUser.isRoot && !asksForHelp && !onlyReads {
            ProcessNamespaces.enter()
        }
    }

    /// The commands that do with what belongs to the user: manifests, blobs, files outside of the store.
    private static let readsDocuments: Set<String> = [
        "", "parse", "images", "history", "inspect", "diff", "login", "logout", "help",
    ]

    /// Parses the arguments of the process, runs the command, and ends the process if it failed.
    package static func run(_ arguments: [String] = CommandLine.arguments) async {
        // Asked by scripts before each use, and the parser would look at every command first.
        if arguments.dropFirst() == ["--version"] { return print(WhittleVersion.current) }
        guard var command = subcommand(Array(arguments.dropFirst())) else {
            if arguments.dropFirst().first == DiffCommand.configuration.commandName {
                DiffCommand.exitForUsage(Array(arguments.dropFirst()))
            }
            return await WhittleCommand.main()
        }
        do {
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            WhittleCommand.exit(withError: error)
        }
    }

    /// The subcommand that the first argument names, with the arguments behind it; `nil` where they ask for help or are
    /// wrong, which only the whole command line can answer.
    ///
    /// The parser looks at every command of the tree below the one it begins with, each time: begun at the subcommand, a
    /// cached build takes a tenth less.
    static func subcommand(_ arguments: [String]) -> (any ParsableCommand)? {
        guard let name = arguments.first,
            let type = WhittleCommand.configuration.subcommands.first(where: { $0.configuration.commandName == name })
        else { return nil }
        // The error is found again by the whole command line, which shows it.
        return try? type.parseAsRoot(Array(arguments.dropFirst()))
    }
}
