internal import ArgumentParser
internal import WhittleRuntime

/// What `main` does before there is a second thread.
package enum WhittleProcess {
    /// Enters private namespaces where the command runs steps, so that its mounts and containers end with the process.
    ///
    /// Decided by the first argument: arguments are parsed later, on Swift's threads.
    package static func enterNamespacesIfNeeded(_ arguments: [String] = CommandLine.arguments) {
        let command = arguments.dropFirst().first { !$0.hasPrefix("-") }
        let asksForHelp = arguments.contains { ["-h", "--help", "--version"].contains($0) }
        if command == "build", !asksForHelp { ProcessNamespaces.enter() }
    }

    /// Parses the arguments of the process, runs the command, and ends the process if it failed.
    package static func run() async { await WhittleCommand.main() }
}
