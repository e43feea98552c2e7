internal import ArgumentParser

/// `whittle manifest`.
struct ManifestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest",
        abstract: "Look at manifests, and make one image of several platforms out of images.",
        subcommands: [ManifestInspectCommand.self, ManifestCreateCommand.self])
}
