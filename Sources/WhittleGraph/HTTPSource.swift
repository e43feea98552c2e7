public import WhittleCore

/// A file that is downloaded: the source of `ADD https://…`, or a named context that is a URL.
///
/// Its file system has that one file in its root, with mode 0600, owned by root.
public struct HTTPSource: Hashable, Sendable {
    /// An absolute `http` or `https` URL as written. It may hold a password or a signature: not to be shown.
    public var url: Redacted<String>
    /// The file's name in the root.
    public var fileName: String
    /// What the bytes must hash to; with it, nothing is asked for that is there already.
    public var checksum: Digest?

    public init(url: Redacted<String>, fileName: String, checksum: Digest? = nil) {
        self.url = url
        self.fileName = fileName
        self.checksum = checksum
    }

    /// The URL for people: without user, password, query and fragment.
    public var shownURL: String { Self.shown(url.revealed) }

    /// `url` without what may be secret in it: user and password, the values of the query.
    public static func shown(_ url: String) -> String {
        guard let scheme = url.range(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        let tail = rest[end...]
        let path = tail.prefix { $0 != "?" && $0 != "#" }
        let hidden = path.endIndex < tail.endIndex && tail[path.endIndex] == "?" ? "?…" : ""
        return url[..<scheme.upperBound] + authority + path + hidden
    }

    public static func == (left: HTTPSource, right: HTTPSource) -> Bool {
        (left.url.revealed, left.fileName, left.checksum) == (right.url.revealed, right.fileName, right.checksum)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(url.revealed)
        hasher.combine(fileName)
        hasher.combine(checksum)
    }
}

extension String {
    /// The first place of `text`.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
