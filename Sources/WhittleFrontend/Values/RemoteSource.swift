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
