/// What a `COPY`, or the copying part of an `ADD`, asks for. The rules are those of BuildKit's LLB `FileActionCopy`,
/// as `TreeCopier` describes them.
package struct CopyRequest: Sendable {
    /// Paths or patterns (Go's `filepath.Match`) below the root of the source tree, in order.
    package var sources: [String]
    /// Absolute in the destination's root. With a slash at the end it is a directory.
    package var destination: String
    /// Whether a source may be a pattern. Otherwise each is a path, whatever characters it has.
    package var allowsWildcards = true
    /// Whether a pattern that matches nothing is accepted, and copies nothing.
    package var allowsEmptyWildcard = true
    /// Whether a directory gives its contents, as in Dockerfiles, instead of itself.
    package var copiesDirectoryContents = true
    /// Whether a source that is a link stands for what it points to. Links below a source are always copied as links.
    package var followsLinks = true
    /// Whether missing directories above the destination are made.
    package var createsDestination = true
    /// `--parents`: directories of a source are kept, from the root or from a `/./` in the source; `**` is allowed.
    package var keepsParents = false
    /// Leaves out what `--exclude` says; paths are relative to each source directory. A source that is a file is judged
    /// by its name.
    package var filter: TreeFilter?
    /// `--chown`; `nil` keeps the owner, which for a build context is root.
    package var owner: FileOwner?
    /// `--chmod`, for files and for directories that are copied.
    package var mode: ModeChange?
    /// Directories above the destination are given this time, and so are files that are copied singly and are later, so
    /// that a layer does not depend on the clock. `nil` leaves all times as they are.
    ///
    /// A directory is copied with the times that it has: its files may know each other's. Python takes bytecode for stale
    /// that does not name the time of its source, make and ninja compare times, font caches hold those of directories.
    package var latestTime: FileTime?
    /// Whether ``latestTime`` counts for what is in directories that are copied, too.
    package var clampsDirectories = false
    /// The time that everything that is copied gets, whatever it had.
    package var fixedTime: FileTime?

    package init(sources: [String], destination: String) {
        self.sources = sources
        self.destination = destination
    }
}
