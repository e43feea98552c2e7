internal import ArgumentParser
internal import Glibc
internal import WhittleAnalysis
internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittlePackages

/// `whittle sbom`.
struct PackagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sbom",
        abstract: "List the software in an image: packages of its distribution, of languages, and of programs.",
        discussion: """
            \(ImageOpener.forms())

            Found are the packages of dpkg, apk and rpm, of Python and npm, of Java archives, and the modules of programs \
            that Go linked. Equal images give equal documents: their time is $SOURCE_DATE_EPOCH, else that of the image.
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp(
            "How to write it: table, spdx-json (SPDX 2.3) or cyclonedx-json (CycloneDX 1.6).", valueName: "format"))
    var format = Format.table

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"), completion: .file())
    var output: String?

    @Option(
        help: ArgumentHelp(
            "The platform to take of images that are there for several: OS/ARCH[/VARIANT].", valueName: "platform"))
    var platform: String?

    @Option(
        name: .customLong("max-layer-size"),
        help: ArgumentHelp(
            "Refuse layers that unpack to more (default: $WHITTLE_MAX_LAYER_SIZE, else no limit).", valueName: "size"))
    var layerLimit: String?

    @Argument(help: ArgumentHelp("The image.", valueName: "image"))
    var image: String

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case spdx = "spdx-json"
        case cycloneDX = "cyclonedx-json"
    }

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            if let output { try OutputPlan.check(file: output) }
            let epoch = try PackagesCommand.epoch()
            let opener = ImageOpener(
                storeDirectory: store.directory, platform: try ImageOpener.platform(platform),
                limits: try ImageOpener.limits(layerLimit), findsPackages: true)
            defer { opener.close() }
            let contents = try await opener.read(image)
            guard let packages = contents.packages else { preconditionFailure("packages were asked for") }
            for warning in packages.list.warnings { ProgressPrinter.writeToStandardError("warning: \(warning)\n") }
            let subject = DocumentSubject(
                name: image, contents, reference: try opener.reference(of: image), epoch: epoch)
            let text = Self.text(packages.list, subject, format)
            guard let output else { return StandardOutput.write(Array(text.utf8)) }
            try AtomicFile.write(text, to: output, isDurable: false)
        }
    }

    private static func text(_ list: PackageList, _ subject: DocumentSubject, _ format: Format) -> String {
        switch format {
        case .table: PackageTable.text(list)
        case .spdx: SPDXDocument.json(list, of: subject).text(as: .pretty()) + "\n"
        case .cycloneDX: CycloneDXDocument.json(list, of: subject).text(as: .pretty()) + "\n"
        }
    }

    /// `$SOURCE_DATE_EPOCH`.
    private static func epoch() throws(BuildError) -> Timestamp? {
        guard let text = StoreOptions.variable("SOURCE_DATE_EPOCH") else { return nil }
        guard let time = Timestamp(epoch: text) else {
            throw .invalidArgument(
                "SOURCE_DATE_EPOCH", text, "it is no number of seconds", hint: "give the seconds since 1970-01-01")
        }
        return time
    }
}

extension DocumentSubject {
    /// - Parameters:
    ///   - reference: the name of the image in a registry, where it has one.
    ///   - epoch: a time that takes the place of the image's own.
    init(name: String, _ contents: ImageContents, reference: ImageReference?, epoch: Timestamp?) {
        let image = contents.image
        self.init(
            name: reference.map { $0.familiarName } ?? name, digest: image?.digest,
            url: image.flatMap { image in
                reference.map {
                    PackageURL.text(of: $0, digest: image.digest, platform: image.configuration.platform)
                }
            },
            created: epoch ?? image?.configuration.created ?? contents.packages?.newest ?? Timestamp(seconds: 0),
            tool: Tool(name: "whittle", version: WhittleVersion.current))
    }
}
