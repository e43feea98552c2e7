internal import WhittleCore

/// Takes an image name apart, from the back: digest, tag, then registry and repository.
struct ReferenceParser {
    private let text: String

    init(_ text: String) { self.text = text }

    func parse() throws(ImageReference.Invalid) -> ImageReference {
        guard !text.isEmpty else { throw .empty }
        for scheme in ["https://", "http://", "docker://", "docker-image://"] where text.hasPrefix(scheme) {
            throw .hasScheme(suggestion: String(text.dropFirst(scheme.count)))
        }
        if let bad = text.first(where: { !$0.isASCII || $0.isWhitespace || ($0.asciiValue ?? 0) < 0x21 }) {
            throw .forbiddenCharacter(bad)
        }
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            let written = String(rest[rest.index(after: at)...])
            do throws(Digest.Invalid) {
                digest = try Digest(parsing: written)
            } catch {
                throw .invalidDigest(written, error)
            }
            rest = rest[..<at]
        }
        let tag = try takeTag(from: &rest)
        guard !rest.isEmpty else { throw .empty }
        let (registry, path) = split(rest)
        if registry == nil, path.utf8.count == 64, path.utf8.allSatisfy({ Self.isHexDigit($0) }) {
            throw .looksLikeImageID
        }
        if path != path.lowercased() {
            let corrected = text[..<path.startIndex] + path.lowercased() + text[path.endIndex...]
            throw .uppercase(suggestion: String(corrected))
        }
        let place = try Self.place(registry: registry ?? ImageReference.defaultRegistry[...], path: path)
        return ImageReference(
            registry: place.registry, repository: place.repository, tag: tag ?? (digest == nil ? "latest" : nil),
            digest: digest, shortName: registry == nil ? String(path) : nil)
    }

    /// Checks and normalises a registry and a path in it: docker.io has one name, and its plain names are in `library/`.
    static func place(
        registry: Substring, path: Substring
    ) throws(ImageReference.Invalid) -> (registry: String, repository: String) {
        try check(registry: registry)
        try check(repository: path)
        guard registry == ImageReference.defaultRegistry || registry == "index.docker.io" else {
            return (String(registry), String(path))
        }
        return (ImageReference.defaultRegistry, path.contains("/") ? String(path) : "library/\(path)")
    }

    /// A tag follows the last colon behind the last slash; a colon before that belongs to a port.
    private func takeTag(from rest: inout Substring) throws(ImageReference.Invalid) -> String? {
        guard let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/"), !rest[colon...].contains("]") else {
            return nil
        }
        let tag = rest[rest.index(after: colon)...]
        guard !tag.isEmpty else { throw .emptyTag }
        guard tag.utf8.count <= 128 else { throw .tagTooLong(tag.utf8.count) }
        let isTag = tag.utf8.allSatisfy {
            Self.isLetter($0) || Self.isDigit($0) || "_.-".utf8.contains($0)
        }
        guard isTag, tag.first != ".", tag.first != "-" else { throw .invalidTag(String(tag)) }
        rest = rest[..<colon]
        return String(tag)
    }

    /// The first part is a registry where it could be no repository: with a dot, a colon or an upper-case letter, or
    /// `localhost`.
    private func split(_ name: Substring) -> (registry: Substring?, path: Substring) {
        guard let slash = name.firstIndex(of: "/") else { return (nil, name) }
        let first = name[..<slash]
        let isRegistry =
            first == "localhost" || first.contains(".") || first.contains(":")
            || first.utf8.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        return isRegistry ? (first, name[name.index(after: slash)...]) : (nil, name)
    }

    private static func check(registry: Substring) throws(ImageReference.Invalid) {
        var host = registry
        if registry.first == "[" {
            guard let end = registry.lastIndex(of: "]") else { throw .invalidRegistry(String(registry)) }
            let address = registry[registry.index(after: registry.startIndex)..<end]
            let isAddress =
                address.contains(":") && address.utf8.allSatisfy { Self.isHexDigit($0) || $0 == UInt8(ascii: ":") }
            guard isAddress else { throw .invalidRegistry(String(registry)) }
            let after = registry[registry.index(after: end)...]
            guard after.isEmpty || (after.first == ":" && Self.isPort(after.dropFirst())) else {
                throw .invalidRegistry(String(registry))
            }
            return
        }
        if let colon = registry.firstIndex(of: ":") {
            guard Self.isPort(registry[registry.index(after: colon)...]) else {
                throw .invalidRegistry(String(registry))
            }
            host = registry[..<colon]
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            !label.isEmpty && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: "-") }
        }
        guard areLabels else { throw .invalidRegistry(String(registry)) }
    }

    private static func check(repository: Substring) throws(ImageReference.Invalid) {
        guard repository.utf8.count <= 255 else { throw .repositoryTooLong(repository.utf8.count) }
        guard repository == repository.lowercased() else { throw .uppercase(suggestion: repository.lowercased()) }
        for component in repository.split(separator: "/", omittingEmptySubsequences: false) {
            guard !component.isEmpty else { throw .emptyComponent }
            guard Self.isComponent(component) else { throw .invalidComponent(String(component)) }
        }
    }

    /// Letters and digits, with `.`, `_`, `__` or any number of dashes between them.
    private static func isComponent(_ component: Substring) -> Bool {
        var separator: [UInt8] = []
        var isFirst = true
        for byte in component.utf8 {
            if isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) {
                let isSeparator =
                    separator.count <= 1 || separator.allSatisfy { $0 == UInt8(ascii: "-") }
                    || separator == Array("__".utf8)
                guard isSeparator else { return false }
                separator = []
                isFirst = false
            } else {
                guard !isFirst, "._-".utf8.contains(byte) else { return false }
                separator.append(byte)
            }
        }
        return separator.isEmpty && !isFirst
    }

    private static func isPort(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isDigit($0) } && UInt16(text) != nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
