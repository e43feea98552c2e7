extension IgnorePatterns {
    /// What is known of a directory when its entries are visited.
    ///
    /// Belongs to the patterns that made it.
    public struct Directory: Hashable, Sendable {
        /// One bit a pattern: whether it matched the directory or one of its parents.
        fileprivate var matched: [UInt64]

        fileprivate func isMatched(_ index: Int) -> Bool { matched[index / 64] >> UInt64(index % 64) & 1 == 1 }
    }

    /// Memory of a walk, reused from path to path. One for each thread.
    public struct WalkMemory: Sendable {
        var scratch = PatternProgram.Scratch()
        public init() {}
    }

    /// What the patterns say about a directory.
    public struct Visit: Sendable {
        public let isExcluded: Bool
        /// Excluded, and no exception can bring back anything inside: the walk need not go in.
        public let canSkip: Bool
        /// To visit the entries of the directory with.
        public let directory: Directory
    }

    /// The top of the tree.
    public var top: Directory { Directory(matched: [UInt64](repeating: 0, count: (patterns.count + 63) / 64)) }

    /// Whether the file `path`, an entry of `parent`, is excluded.
    ///
    /// - Parameter path: relative to the top of the tree.
    public func excludes(_ path: [UInt8], in parent: Directory, memory: inout WalkMemory) -> Bool {
        var isExcluded = false
        for (index, pattern) in patterns.enumerated() {
            if parent.isMatched(index) {
                isExcluded = !pattern.isException
            } else if pattern.isException == isExcluded,
                pattern.matches(path, upTo: path.count, scratch: &memory.scratch)
            {
                isExcluded = !pattern.isException
            }
        }
        return isExcluded
    }

    /// What the patterns say about the directory `path`, an entry of `parent`.
    public func visit(_ path: [UInt8], in parent: Directory, memory: inout WalkMemory) -> Visit {
        var directory = parent
        var isExcluded = false
        for (index, pattern) in patterns.enumerated() {
            if !parent.isMatched(index) {
                guard pattern.isException == isExcluded,
                    pattern.matches(path, upTo: path.count, scratch: &memory.scratch)
                else { continue }
                directory.matched[index / 64] |= 1 << UInt64(index % 64)
            }
            isExcluded = !pattern.isException
        }
        return Visit(
            isExcluded: isExcluded, canSkip: isExcluded && !canReinclude(below: path, directory, &memory),
            directory: directory)
    }

    /// Whether an exception can match something below the excluded directory `path`, with no later pattern that holds
    /// for all of it.
    private func canReinclude(below path: [UInt8], _ directory: Directory, _ memory: inout WalkMemory) -> Bool {
        guard hasExceptions else { return false }
        for (index, pattern) in patterns.enumerated().reversed() {
            if pattern.isException {
                if pattern.canMatch(below: path, scratch: &memory.scratch) { return true }
            } else if directory.isMatched(index) {
                return false
            }
        }
        return false
    }
}
