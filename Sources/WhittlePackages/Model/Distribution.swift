/// The distribution that an image is made of.
///
/// Format: os-release(5): lines of `NAME=value`, the value quoted as in a shell.
package struct Distribution: Hashable, Sendable {
    /// `debian`, `alpine`; `linux` where nothing says it.
    package var id: String
    /// `12`, `3.20.3`; empty for a distribution without versions.
    package var version: String
    /// For people: `Debian GNU/Linux 12 (bookworm)`.
    package var prettyName: String
    /// Distributions that it is made from, nearest first.
    package var relatives: [String]

    package init(id: String, version: String = "", prettyName: String = "", relatives: [String] = []) {
        self.id = id
        self.version = version
        self.prettyName = prettyName
        self.relatives = relatives
    }

    /// What `os-release` says; `nil` where it has no line of the form.
    package init?(parsing bytes: [UInt8]) {
        var values: [Substring: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let line = line.drop { $0 == " " || $0 == "\t" }
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals]] = Self.unquoted(line[line.index(after: equals)...])
        }
        guard !values.isEmpty else { return nil }
        id = (values["ID"] ?? "linux").lowercased()
        version = values["VERSION_ID"] ?? ""
        prettyName = values["PRETTY_NAME"] ?? values["NAME"] ?? ""
        relatives = (values["ID_LIKE"] ?? "").split(separator: " ").map { $0.lowercased() }
    }

    /// `debian-12`; without a version the name alone.
    package var label: String { version.isEmpty ? id : "\(id)-\(version)" }

    /// The namespace of package URLs: the distribution, by the name that the type knows it by.
    func packageNamespace(for kind: PackageKind) -> String {
        switch (kind, id) {
        case (.rpm, "rhel"): "redhat"
        case (.rpm, "sles"), (.rpm, "sled"): "suse"
        case (.rpm, "opensuse-leap"), (.rpm, "opensuse-tumbleweed"): "opensuse"
        case (.rpm, "amzn"): "amazon"
        default: id
        }
    }

    private static func unquoted(_ text: Substring) -> String {
        var text = text
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        guard let quote = text.first, quote == "\"" || quote == "'", text.count >= 2, text.last == quote else {
            return String(text)
        }
        var result = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", !isEscaped, quote == "\"" {
                isEscaped = true
            } else {
                result.append(character)
                isEscaped = false
            }
        }
        return result
    }
}
