package import WhittleGraph

/// A build context that is not a directory of this machine, and is brought in before the build is planned.
package struct RemoteContext: Sendable {
    package enum Source: Sendable {
        /// A tar archive, compressed or not, or a Dockerfile: its first bytes tell.
        case standardInput
        /// The same, to be downloaded.
        case http(HTTPSource)
        /// A directory: the tree of a commit.
        case git(GitSource)
    }

    /// Where the Dockerfile is.
    package enum Dockerfile: Hashable, Sendable {
        /// In the archive, at this path; `nil` for the usual names.
        case inside(String?)
        /// The request has it already.
        case given
    }

    package var source: Source
    package let dockerfile: Dockerfile

    package init(_ source: Source, dockerfile: Dockerfile) {
        self.source = source
        self.dockerfile = dockerfile
    }

    /// As messages call it.
    var name: String {
        switch source {
        case .standardInput: "standard input"
        case .http(let source): "'\(source.shownURL)'"
        case .git(let source): "'\(source.shownAddress)'"
        }
    }
}
