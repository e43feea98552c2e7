internal import WhittleGraph

/// What a reference of a repository means at one moment.
package struct GitRevision: Hashable, Sendable {
    /// The object: a commit, or an annotated tag.
    package let object: String
    /// The commit that an annotated tag stands for; `nil` where the object is one, or may be one.
    package let tagged: String?
    /// The whole name of the reference, such as `refs/heads/main`; `nil` where a commit was named.
    package let name: String?

    package init(object: String, tagged: String? = nil, name: String? = nil) {
        self.object = object
        self.tagged = tagged
        self.name = name
    }

    /// The commit, as far as it is known.
    package var commit: String { tagged ?? object }

    /// Whether `checksum` is the beginning of the object or of its commit.
    func matches(_ checksum: String) -> Bool {
        let checksum = checksum.lowercased()
        return object.hasPrefix(checksum) || (tagged?.hasPrefix(checksum) ?? false)
    }
}

/// The answer of `git ls-remote --symref`.
struct GitListing: Sendable {
    private var objects: [String: String] = [:]
    /// The branch that HEAD is.
    private(set) var head: String?

    /// Lines of object and name with a tab between; `ref: NAME` in the place of an object tells where a symbolic one leads.
    /// What is no such line is left out.
    init(parsing text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { continue }
            if parts[0].hasPrefix("ref: "), parts[1] == "HEAD" {
                head = String(parts[0].dropFirst("ref: ".count))
            } else if GitSource.isCommit(parts[0]) {
                objects[parts[1]] = parts[0]
            }
        }
    }

    /// The patterns to ask for: those that ``revision(of:)`` looks at.
    static func patterns(for reference: String) -> [String] {
        reference.isEmpty ? ["HEAD"] : [reference, reference + "^{}"]
    }

    /// What `reference` means: a whole name first, then a branch, as git prefers them, then a tag. Empty is HEAD.
    func revision(of reference: String) -> GitRevision? {
        if reference.isEmpty {
            return objects["HEAD"].map { GitRevision(object: $0, name: head ?? "HEAD") }
        }
        func dropping(_ prefix: String) -> String {
            reference.hasPrefix(prefix) ? String(reference.dropFirst(prefix.count)) : reference
        }
        let whole = "refs/" + dropping("refs/")
        for name in [whole, "refs/heads/" + dropping("refs/heads/"), "refs/tags/" + dropping("refs/tags/")] {
            guard let object = objects[name] else { continue }
            return GitRevision(object: object, tagged: objects[name + "^{}"], name: name)
        }
        return nil
    }
}
