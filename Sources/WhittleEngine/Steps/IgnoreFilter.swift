internal import Synchronization
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem

extension TreeFilter {
    /// Leaves out what ignore patterns exclude.
    ///
    /// - Throws: `WhittleCore/BuildError` where a pattern is malformed.
    init?(ignoring patterns: [String]) throws(BuildError) {
        let patterns = try IgnorePatterns(patterns)
        guard !patterns.isEmpty else { return nil }
        let top = patterns.top
        // Memory of one judgement at a time: a pool of them, since judgements come from several threads.
        let memories = Mutex<[IgnorePatterns.WalkMemory]>([])
        self.init { path, isDirectory, state in
            var memory = memories.withLock { $0.popLast() } ?? IgnorePatterns.WalkMemory()
            defer { memories.withLock { [memory] in $0.append(memory) } }
            let parent = state as? IgnorePatterns.Directory ?? top
            let bytes = Array(path.utf8)
            guard isDirectory else {
                return patterns.excludes(bytes, in: parent, memory: &memory) ? .prune : .take
            }
            let visit = patterns.visit(bytes, in: parent, memory: &memory)
            return Verdict(isTaken: !visit.isExcluded, isSearched: !visit.canSkip, state: visit.directory)
        }
    }
}
