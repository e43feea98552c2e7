internal import WhittleCore
internal import WhittleHTTP

/// Finds what identifies a build to a host among its secrets: `HTTP_AUTH_TOKEN_HOST` holds a bearer token,
/// `HTTP_AUTH_HEADER_HOST` the whole value of the header `Authorization`. The host is that of the URL, without its port.
///
/// Source: moby/buildkit `source/http`, where a token wins over a header, too.
struct DownloadCredentials: Sendable {
    private let secrets: [String: Redacted<[UInt8]>]

    init(_ secrets: [String: Redacted<[UInt8]>]) { self.secrets = secrets }

    /// The value of the header `Authorization` for a URL, or `nil` where no secret is for its host.
    ///
    /// - Throws: `download-unauthorized` for a secret that cannot stand in a header. The error does not show it.
    func authorization(for address: WebAddress) throws(BuildError) -> Redacted<String>? {
        // An IPv6 address is written without its brackets.
        let host = address.host.filter { $0 != "[" && $0 != "]" }
        for (kind, prefix) in [("TOKEN", "Bearer "), ("HEADER", "")] {
            let id = "HTTP_AUTH_\(kind)_\(host)"
            guard let secret = secrets.first(where: { $0.key.lowercased() == id.lowercased() }) else { continue }
            // Files end with a line end that is no part of the token.
            var bytes = secret.value.revealed[...]
            while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
            guard !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw .unusableCredentials(secret.key)
            }
            return Redacted(prefix + String(decoding: bytes, as: UTF8.self))
        }
        return nil
    }
}
