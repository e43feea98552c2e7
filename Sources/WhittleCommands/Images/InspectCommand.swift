internal import ArgumentParser
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI

/// `whittle inspect`.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show all that is known of images.",
        discussion: """
            Prints docker's JSON, or with --format what a template makes of each image: '{{.Config.Env}}', \
            '{{index .Config.Labels "version"}}', '{{json .Config}}'. --raw prints a document as it is in the store.
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        name: [.customShort("f"), .customLong("format")],
        help: ArgumentHelp("How to print: json for one object a line, or a template.", valueName: "format"))
    var format: String?

    @Option(
        help: ArgumentHelp("Print a document as it is, byte for byte: config, manifest, index.", valueName: "document"))
    var raw: ImageStoreReader.Document?

    @Option(
        help: ArgumentHelp(
            "Of an image for several platforms, the one for this platform.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Argument(help: ArgumentHelp("Names of images, image IDs, or beginnings of them.", valueName: "image"))
    var images: [String]

    func validate() throws {
        if format != nil, raw != nil { throw ValidationError("--format and --raw cannot be used together") }
    }

    func run() throws {
        try ErrorText.reporting {
            let template = try format.flatMap { $0 == "json" || $0.isEmpty ? nil : $0 }
                .map { text throws(BuildError) in try Template(parsing: text, hasEscapes: false) }
            let wanted = try PlatformArgument.platform(platform)
            var documents: [JSONValue] = []
            var failures: [any Error] = []
            for text in images {
                do {
                    guard let all = try store.imageReader() else { throw ImageStoreReader.unknown(text, among: []) }
                    let reader = all.choosing(wanted)
                    let image = try reader.find(text)
                    if let raw {
                        StandardOutput.write(try reader.bytes(of: raw, image))
                        continue
                    }
                    let record = InspectDocument(image, names: try reader.names(of: image)).record
                    if let template {
                        print(try template.text(of: .record(record)))
                    } else if format == "json" {
                        print(TemplateValue.record(record).json.text(as: .compact))
                    } else {
                        documents.append(TemplateValue.record(record).json)
                    }
                } catch {
                    failures.append(error)
                }
            }
            if format ?? "" == "", raw == nil { print(JSONValue.array(documents).text(as: .pretty(indent: 4))) }
            try ErrorText.throwAll(failures)
        }
    }
}

extension ImageStoreReader.Document: ExpressibleByArgument {}
