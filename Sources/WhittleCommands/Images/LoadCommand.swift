internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI
internal import WhittleStore

/// `whittle load`.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Read images from an archive into the store.",
        discussion: """
            Takes what 'docker save', 'whittle save', podman, skopeo and buildx write: docker archives and archives of OCI \
            image layouts, plain or compressed with gzip, zstd, bzip2 or xz.
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        name: [.customShort("i"), .customLong("input")],
        help: ArgumentHelp("The archive. Without it: standard input.", valueName: "file"), completion: .file())
    var input: String?

    @Option(
        help: ArgumentHelp(
            "Of an image for several platforms, the one for this platform alone.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Flag(
        name: [.customShort("q"), .customLong("quiet")],
        help: "Taken as docker does; there is no progress to leave out.")
    var quiet = false

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            guard input != nil || isatty(0) != 1 else { throw BuildError.archiveFromTerminal() }
            let use = try StoreUse(store.directory)
            defer { use.close() }
            let loader = ImageLoader(blobs: use.blobs, names: use.names, scratch: use.scratch)
            let loaded = try await loader.load(
                from: input == "-" ? nil : input, platform: PlatformArgument.platform(platform))
            for image in loaded {
                for name in image.names { print("Loaded image: \(name.familiarName)") }
                if image.names.isEmpty { print("Loaded image ID: \(image.id)") }
            }
        }
    }
}

extension BuildError.Code {
    /// An archive would be written to a terminal, or read from one.
    static let archiveOnTerminal = Self(rawValue: "archive-on-terminal")
}

extension BuildError {
    static func archiveToTerminal() -> BuildError {
        BuildError(
            .archiveOnTerminal, "refusing to write an archive to a terminal",
            hint: "name a file with '-o FILE', or redirect standard output")
    }

    static func archiveFromTerminal() -> BuildError {
        BuildError(
            .archiveOnTerminal, "there is no archive to load: standard input is a terminal",
            hint: "name a file with '-i FILE', or redirect standard input")
    }
}
