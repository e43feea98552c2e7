/// An absolute `http` or `https` URL, as much of RFC 3986 as registries use.
///
/// Its description leaves the query out: redirects to object stores carry signatures there.
package struct WebAddress: Hashable, Sendable {
    package enum Scheme: String, Hashable, Sendable {
        case http, https
    }

    package var scheme: Scheme
    /// Lower case; an IPv6 address with its brackets.
    package var host: String
    /// `nil` for the scheme's own.
    package var port: UInt16?
    /// Path and query, beginning with `/`.
    package var target: String

    package init(scheme: Scheme, authority: String, target: String) {
        self.scheme = scheme
        let parts = Self.split(authority: authority)
        host = parts.host.lowercased()
        port = parts.port
        self.target = target
    }

    /// Reads an absolute URL; `nil` for other schemes, for names and passwords in it, for characters that no URL has.
    package init?(parsing text: String) {
        let isClean = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        guard isClean, text.utf8.count <= 16_384, let colon = text.firstIndex(of: ":"),
            let scheme = Scheme(rawValue: text[..<colon].lowercased()), text[colon...].hasPrefix("://")
        else { return nil }
        let rest = text[colon...].dropFirst(3)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.isEmpty, !authority.contains("@"), Self.isAuthority(authority) else { return nil }
        let tail = rest[end...].prefix { $0 != "#" }
        self.init(
            scheme: scheme, authority: String(authority), target: tail.hasPrefix("/") ? String(tail) : "/\(tail)")
    }

    /// The address that a `Location` header means when it came from here; `nil` where it is none.
    package func resolving(_ location: String) -> WebAddress? {
        if let absolute = WebAddress(parsing: location) { return absolute }
        if location.hasPrefix("//") { return WebAddress(parsing: "\(scheme.rawValue):\(location)") }
        guard !location.contains("://") else { return nil }
        let path = target.prefix { $0 != "?" }
        let base = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        let joined = location.hasPrefix("/") ? location : base + location
        return WebAddress(parsing: "\(scheme.rawValue)://\(authority)\(joined)")
    }

    /// `HOST[:PORT]`.
    package var authority: String { port.map { "\(host):\($0)" } ?? host }

    /// The port in use.
    package var effectivePort: UInt16 { port ?? (scheme == .https ? 443 : 80) }

    /// Whether credentials for the one may be shown to the other: same scheme, host and port.
    package func hasSameOrigin(as other: WebAddress) -> Bool {
        (scheme, host, effectivePort) == (other.scheme, other.host, other.effectivePort)
    }

    /// Whether the host is this machine, which proxies must not be asked for.
    package var isLoopback: Bool { Self.isLoopback(authority: authority) }

    /// Whether `HOST[:PORT]` names this machine: `localhost`, `127.0.0.0/8` or `::1`.
    package static func isLoopback(authority: String) -> Bool {
        let host = split(authority: authority).host.lowercased()
        if host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The whole text, query included; for requests only, never for a person.
    package var url: String { "\(scheme.rawValue)://\(authority)\(target)" }

    /// `text` as one value of a query or form: everything but unreserved characters percent-encoded.
    package static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += byte < 16 ? "%0" : "%"
                result += String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    private static func split(authority: String) -> (host: String, port: UInt16?) {
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else {
            return (authority, nil)
        }
        return (String(authority[..<colon]), UInt16(authority[authority.index(after: colon)...]))
    }

    private static func isAuthority(_ text: Substring) -> Bool {
        var host = text
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            guard UInt16(text[text.index(after: colon)...]) != nil else { return false }
            host = text[..<colon]
        }
        if host.first == "[" {
            return host.last == "]"
                && host.dropFirst().dropLast().utf8.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
        }
        return !host.isEmpty
            && host.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "-._".utf8.contains($0)
            }
    }
}

extension WebAddress: CustomStringConvertible {
    /// `SCHEME://HOST[:PORT]/PATH`, with `?…` for a query.
    package var description: String {
        let path = target.prefix { $0 != "?" }
        return "\(scheme.rawValue)://\(authority)\(path)" + (path.endIndex < target.endIndex ? "?…" : "")
    }
}
