package import WhittleCore

/// What a document of packages is about, and when it is said to have been written.
package struct DocumentSubject: Sendable {
    /// As the user called it.
    package var name: String
    /// Of the image's manifest; `nil` for a directory.
    package var digest: Digest?
    /// The package URL of the image; `nil` where it has no name of a registry.
    package var url: String?
    /// Not the time of the clock: equal images give equal documents.
    package var created: Timestamp
    /// The program that writes it: `whittle-0.1.0`.
    package var tool: Tool

    /// A program by name and version.
    package struct Tool: Hashable, Sendable {
        package var name: String
        package var version: String

        package init(name: String, version: String) {
            self.name = name
            self.version = version
        }
    }

    package init(name: String, digest: Digest? = nil, url: String? = nil, created: Timestamp, tool: Tool) {
        self.name = name
        self.digest = digest
        self.url = url
        self.created = Timestamp(seconds: created.seconds)
        self.tool = tool
    }

    /// A UUID that is the same for equal subjects with equal packages, in the form of version 8 (RFC 9562).
    func identifier(of list: PackageList, salt: String) -> String {
        var hasher = SHA256Hasher()
        for text in [salt, name, digest?.description ?? "", "\(created.seconds)", tool.name, tool.version] {
            hasher.update(Array(text.utf8) + [0])
        }
        for package in list.packages {
            hasher.update(Array(PackageURL.text(package, on: list.distribution).utf8) + [0])
            for place in package.locations { hasher.update(Array(place.utf8) + [0]) }
        }
        var digits = Array(hasher.finalize().hex.prefix(32).utf8)
        digits[12] = UInt8(ascii: "8")
        digits[16] = UInt8(ascii: "a")
        let text = String(decoding: digits, as: UTF8.self)
        var parts: [Substring] = []
        var rest = text[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
