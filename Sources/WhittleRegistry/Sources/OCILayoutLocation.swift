public import WhittleCore

/// Names an image in an OCI layout: `DIRECTORY[:TAG][@DIGEST]`.
public struct OCILayoutLocation: Hashable, Sendable {
    public let directory: String
    /// The value of the annotation `org.opencontainers.image.ref.name`.
    public let tag: String?
    public let digest: Digest?

    public init(directory: String, tag: String? = nil, digest: Digest? = nil) {
        self.directory = directory
        self.tag = tag
        self.digest = digest
    }

    /// Reads the text behind `oci-layout://`, which may also stand in front of it.
    ///
    /// The tag follows the first colon behind the last slash, as with skopeo and buildx: it may be a name with a tag of
    /// its own (`dir:node:16`), and directories may have colons in all but their last part.
    ///
    /// - Throws: `not-an-oci-layout` where the directory is empty or the digest is none.
    public init(parsing text: String) throws {
        let scheme = "oci-layout://"
        var rest = text.hasPrefix(scheme) ? text.dropFirst(scheme.count) : text[...]
        var digest: Digest?
        if let at = rest.range(ofLast: "@sha256:") {
            do {
                digest = try Digest(parsing: rest[rest.index(after: at)...])
            } catch {
                throw BuildError.notAnOCILayout(text, "'\(rest[at...])' is no digest")
            }
            rest = rest[..<at]
        }
        var tag: String?
        let slash = rest.lastIndex(of: "/") ?? rest.startIndex
        if let colon = rest[slash...].firstIndex(of: ":") {
            let name = rest[rest.index(after: colon)...]
            if !name.isEmpty { tag = String(name) }
            rest = rest[..<colon]
        }
        guard !rest.isEmpty else { throw BuildError.notAnOCILayout(text, "no directory is given") }
        self.init(directory: String(rest), tag: tag, digest: digest)
    }
}

extension OCILayoutLocation: CustomStringConvertible {
    /// `oci-layout://DIRECTORY[:TAG][@DIGEST]`.
    public var description: String {
        "oci-layout://\(directory)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}

extension Substring {
    /// Where the last occurrence of `text` begins.
    fileprivate func range(ofLast text: String) -> Index? {
        var position = endIndex
        while position > startIndex {
            position = index(before: position)
            if self[position...].hasPrefix(text) { return position }
        }
        return nil
    }
}
