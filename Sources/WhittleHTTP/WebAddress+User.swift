package import WhittleCore

extension WebAddress {
    /// Reads a URL as a person writes it: with `USER[:PASSWORD]@` before the host, which becomes the value of the header
    /// `Authorization` and leaves the address.
    ///
    /// - Returns: `nil` for what ``init(parsing:)`` refuses besides.
    package static func parsing(withUser text: String) -> (address: WebAddress, authorization: Redacted<String>?)? {
        if let address = WebAddress(parsing: text) { return (address, nil) }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let start = text.index(colon, offsetBy: 3)
        let end = text[start...].firstIndex { "/?#".contains($0) } ?? text.endIndex
        guard let at = text[start..<end].lastIndex(of: "@"),
            let address = WebAddress(parsing: String(text[..<start]) + text[text.index(after: at)...])
        else { return nil }
        let parts = text[start..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = parts.first.flatMap({ PercentEncoding.decoded($0) }),
            let password = parts.count == 2 ? PercentEncoding.decoded(parts[1]) : []
        else { return nil }
        return (address, Redacted("Basic " + Base64.encode(user + [UInt8(ascii: ":")] + password)))
    }
}
