package import ArgumentParser

/// `whittle`: the root of the command line.
package struct WhittleCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "whittle",
        abstract: "Build container images from multi-stage Dockerfiles, and whittle them down.",
        version: WhittleVersion.current,
        subcommands: [
            BuildCommand.self,
            BakeCommand.self,
            RunCommand.self,
            ParseCommand.self,
            ImagesCommand.self,
            HistoryCommand.self,
            InspectCommand.self,
            DiffCommand.self,
            PackagesCommand.self,
            PruneCommand.self,
            DiskUsageCommand.self,
            FsckCommand.self,
            TagCommand.self,
            RemoveImageCommand.self,
            SaveCommand.self,
            LoadCommand.self,
            PushCommand.self,
            ImageCommand.self,
            PullCommand.self,
            CopyCommand.self,
            ManifestCommand.self,
            LoginCommand.self,
            LogoutCommand.self,
        ])

    package init() {}
}

/// The version of this program.
package enum WhittleVersion {
    /// `MAJOR.MINOR.PATCH`, semantic versioning 2.0.
    package static let current = "0.1.0"
}
