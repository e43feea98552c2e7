/// Decides, entry by entry, what a walk takes and where it looks.
///
/// Pattern rules (`.dockerignore`, `--exclude`) live above this layer; they come here as one closure.
package struct TreeFilter: Sendable {
    /// What is to happen with an entry.
    package struct Verdict: Sendable {
        /// Whether the entry is taken.
        package var isTaken: Bool
        /// For a directory: whether its entries are judged as well. A directory that is not taken, but that has an entry
        /// which is, comes along.
        package var isSearched: Bool
        /// Handed back when the entries of this directory are judged: what is already known of their parents.
        package var state: (any Sendable)?

        package init(isTaken: Bool, isSearched: Bool, state: (any Sendable)? = nil) {
            self.isTaken = isTaken
            self.isSearched = isSearched
            self.state = state
        }

        package static let take = Verdict(isTaken: true, isSearched: true)
        /// Left out, though something below may be taken.
        package static let search = Verdict(isTaken: false, isSearched: true)
        /// Left out with all below.
        package static let prune = Verdict(isTaken: false, isSearched: false)
    }

    /// - Parameters: the path from the root of the walk, without a leading slash; whether it is a directory; the state
    ///   that the verdict on its directory carried (`nil` for entries of the root).
    package typealias Judge =
        @Sendable (
            _ path: String, _ isDirectory: Bool, _ parentState: (any Sendable)?
        ) -> Verdict

    /// Called from several threads at once, for each directory before its entries.
    package let judge: Judge

    package init(_ judge: @escaping Judge) { self.judge = judge }
}
