/// What Python's installers leave behind.
///
/// Format: core metadata 2.4 of the Python packaging specifications, a block of fields and a text.
enum PythonPackages {
    private static let fields: Set<String> = [
        "metadata-version", "name", "version", "license", "license-expression", "author", "author-email", "home-page",
    ]

    static func findings(in bytes: [UInt8]) -> Findings {
        guard let block = FieldBlocks.parse(bytes, wanted: fields, onlyFirst: true).first,
            let name = block["name"], !name.isEmpty
        else { return .problem("it has no name of a Python package") }
        guard let version = block["version"], !version.isEmpty else {
            return .problem("the Python package '\(name.prefix(100))' has no version")
        }
        return Findings([
            Package(
                .pypi, name: name, version: version, license: license(block, bytes), supplier: supplier(block),
                homepage: block["home-page"].flatMap { $0 == "UNKNOWN" ? nil : $0 } ?? "")
        ])
    }

    /// As PEP 503 normalises names.
    static func normalised(_ name: String) -> String {
        var result = ""
        var isSeparator = false
        for character in name.lowercased() {
            if character == "-" || character == "_" || character == "." {
                isSeparator = true
            } else {
                if isSeparator { result += "-" }
                isSeparator = false
                result.append(character)
            }
        }
        return result
    }

    private static func supplier(_ block: FieldBlocks.Block) -> String {
        let author = block["author"].flatMap { $0 == "UNKNOWN" ? nil : $0 } ?? ""
        guard let address = block["author-email"], address != "UNKNOWN", !address.isEmpty else { return author }
        if author.isEmpty || address.contains("<") { return address }
        return "\(author) <\(address)>"
    }

    /// The expression, a short text, or the classifier, which many have instead.
    private static func license(_ block: FieldBlocks.Block, _ bytes: [UInt8]) -> String {
        if let expression = block["license-expression"], !expression.isEmpty { return expression }
        if let text = block["license"], !text.isEmpty, text != "UNKNOWN", text.utf8.count <= 64 { return text }
        let prefix = Array("Classifier: License ::".utf8)
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.isEmpty { break }
            guard line.starts(with: prefix), let colon = line.lastIndex(of: UInt8(ascii: ":")) else { continue }
            let text = FieldBlocks.trimmed(line[(colon + 1)...])
            if text != "OSI Approved" { return text }
        }
        return ""
    }
}
