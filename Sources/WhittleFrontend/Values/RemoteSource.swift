internal import WhittleCore

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
        guard GitAddress.isSecureCopyAddress(text) else { return nil }
        self = .git
    }

    /// The name that a downloaded file gets in a directory: the last part of the URL's path, decoded. `nil` where that is
    /// none.
    static func fileName(ofURL url: String) -> String? {
        guard let colon = url.firstIndex(of: ":") else { return nil }
        let rest = url[colon...].dropFirst().drop { $0 == "/" }
        guard let slash = rest.firstIndex(where: { "/?#".contains($0) }), rest[slash] == "/" else { return nil }
        let path = rest[slash...].prefix { $0 != "?" && $0 != "#" }
        guard let decoded = PercentEncoding.decodedText(path) else { return nil }
        guard let name = decoded.split(separator: "/").last.map(String.init), name != ".", name != "..",
            !name.utf8.contains(0), name.utf8.count <= 255
        else { return nil }
        return name
    }
}
