internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleExport
internal import WhittleStore

/// `whittle save`.
struct SaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save",
        abstract: "Write images into an archive.",
        discussion: """
            The archive is both a docker archive and an OCI image layout: 'docker load', 'whittle load', skopeo and podman \
            read it. A repository without a tag stands for all of its tags.
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The archive. Without it: standard output, where that is no terminal.", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(
        help: ArgumentHelp("docker, or oci for an OCI image layout without docker's own file.", valueName: "format"))
    var format = ImageSaver.Format.docker

    @Option(
        help: ArgumentHelp(
            "Of an image for several platforms, the one for this platform alone.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Argument(help: ArgumentHelp("Names of images, image IDs, or beginnings of them.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            guard output != nil || isatty(1) != 1 else { throw BuildError.archiveToTerminal() }
            guard try store.imageReader() != nil else { throw ImageStoreReader.unknown(images[0], among: []) }
            // A reader that goes away shows as an error of the write, so that there is time to clean up.
            signal(SIGPIPE, SIG_IGN)
            let use = try StoreUse(store.directory)
            defer { use.close() }
            let destination = output.map { StreamDestination.file(path: $0) } ?? .standardOutput
            try await ImageSaver(
                names: use.names, blobs: use.blobs, platform: PlatformArgument.platform(platform)
            ).save(images, as: format, to: destination)
        }
    }
}

extension ImageSaver.Format: ExpressibleByArgument {}
