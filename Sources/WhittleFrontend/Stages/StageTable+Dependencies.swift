internal import WhittleCore

extension StageTable {
    /// The stages that `targets` need, themselves included, and the external sources.
    func reachable(from targets: [Int]) -> (stages: Set<Int>, externals: Set<Int>) {
        var stages: Set<Int> = []
        var externals: Set<Int> = []
        var pending = targets
        while let index = pending.popLast() {
            guard stages.insert(index).inserted else { continue }
            for next in links(of: index) {
                switch next.kind {
                case .stage(let stage): pending.append(stage)
                case .external(let external): externals.insert(external)
                }
            }
        }
        return (stages, externals)
    }

    /// Refuses stages that wait for themselves, directly or through others, whether they are needed or not.
    ///
    /// - Throws: `circular-dependency` at the instruction that closes the circle.
    func checkCycles() throws(BuildError) {
        enum Mark { case new, open, done }
        var marks = Array(repeating: Mark.new, count: stages.count)
        for start in stages.indices where marks[start] == .new {
            var path: [(stage: Int, links: ArraySlice<Dependency>)] = [(start, links(of: start)[...])]
            marks[start] = .open
            while !path.isEmpty {
                guard let link = path[path.count - 1].links.popFirst() else {
                    marks[path.removeLast().stage] = .done
                    continue
                }
                guard case .stage(let next) = link.kind else { continue }
                if marks[next] == .open {
                    let names = names
                    let circle = path.drop { $0.stage != next }.map { names[$0.stage] }
                    throw .circularDependency(circle, at: link.location)
                }
                guard marks[next] == .new else { continue }
                marks[next] = .open
                path.append((next, links(of: next)[...]))
            }
        }
    }

    private func links(of index: Int) -> [Dependency] {
        let stage = stages[index]
        let named = stage.commands.flatMap { $0.dependencies.compactMap { $0 } }
        guard case .stage(let base) = stage.origin else { return named }
        return [Dependency(kind: .stage(base), location: stage.baseLocation)] + named
    }
}
