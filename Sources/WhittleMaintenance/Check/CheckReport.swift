package import WhittleCore

/// What a check of a store found.
package struct CheckReport: Sendable {
    /// One thing that is not as it should be.
    package struct Problem: Hashable, Sendable {
        /// What it is about: an object, a name, a file.
        package var subject: String
        /// What is wrong, as it follows the subject and a colon.
        package var finding: String
        package var outcome: Outcome = .found

        package init(subject: String, finding: String) {
            self.subject = subject
            self.finding = finding
        }
    }

    /// What became of a problem.
    package enum Outcome: Hashable, Sendable {
        /// Nothing was to be done about it.
        case found
        /// It is gone: the next build makes again what it needs.
        case removed
        /// A running build uses it.
        case inUse
    }

    package var problems: [Problem] = []
    /// What is no problem, and good to know: what processes that were killed have left.
    package var notes: [String] = []
    package var blobCount = 0
    package var blobSize = ByteCount.zero
    package var snapshotCount = 0
    package var imageCount = 0

    /// Nothing found so far.
    package init() {}

    /// Whether everything is as it should be.
    package var isClean: Bool { problems.isEmpty }
    /// Whether something was not put right.
    package var hasUnrepaired: Bool { problems.contains { $0.outcome != .removed } }
}
