/// A source of ADD that is not a path: an address to download, or a git repository.
enum RemoteSource: Hashable {
    case http
    case git

    /// `nil` for a path. An HTTP address is a repository where its path ends in `.git`.
    init?(_ text: String) {
        let lower = text.lowercased()
        for scheme in ["git://", "ssh://"] where lower.hasPrefix(scheme) {
            self = .git
            return
        }
        for scheme in ["http://", "https://"] where lower.hasPrefix(scheme) {
            let path = text.prefix { $0 != "#" && $0 != "?" }
            self = path.hasSuffix(".git") ? .git : .http
            return
        }
        guard Self.isSecureCopyAddress(text) else { return nil }
        self = .git
    }

    /// The name that a downloaded file gets in a directory: the last part of the URL's path, decoded. `nil` where that is
    /// none.
    static func fileName(ofURL url: String) -> String? {
        guard let colon = url.firstIndex(of: ":") else { return nil }
        let rest = url[colon...].dropFirst().drop { $0 == "/" }
        guard let slash = rest.firstIndex(where: { "/?#".contains($0) }), rest[slash] == "/" else { return nil }
        let path = rest[slash...].prefix { $0 != "?" && $0 != "#" }
        guard let decoded = decodingPercent(path) else { return nil }
        guard let name = decoded.split(separator: "/").last.map(String.init), name != ".", name != "..",
            !name.utf8.contains(0), name.utf8.count <= 255
        else { return nil }
        return name
    }

    private static func decodingPercent(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// `USER@HOST:PATH`, as ssh and git write it.
    private static func isSecureCopyAddress(_ text: String) -> Bool {
        guard let at = text.firstIndex(of: "@"), let colon = text[at...].firstIndex(of: ":") else { return false }
        let user = text[..<at]
        let host = text[text.index(after: at)..<colon]
        return !user.isEmpty && !host.isEmpty && user.utf8.allSatisfy { isNameByte($0) }
            && host.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: ".") }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
