package import WhittleGraph
internal import WhittleSolver

extension LocalWorker {
    /// The directories of the step's cache mounts, by the position of the mount.
    ///
    /// Those that may have to be waited for come first, each once and in the order of their identities: so steps that want the
    /// same ones never wait for each other in a circle, and no step for itself. The private ones are never waited for.
    func cacheDirectories(
        _ op: ExecOp, _ vertex: Vertex, _ inputs: [StepResult], _ held: HeldMounts
    ) async throws -> [Int: String] {
        var paths: [Int: String] = [:]
        for (cache, positions) in Self.cacheRequests(op.mounts) {
            let directories = CacheMountStore(layout: store.layout, scratch: store.scratch)
            let lease = try await directories.acquire(cache) { directory in
                guard let input = cache.input else { return }
                let source = try await readableSource(of: inputs[input], cache.source, cache.target, vertex, held)
                try await copyTree(from: source, into: directory)
            }
            held.add { lease.release() }
            for position in positions { paths[position] = lease.path }
        }
        return paths
    }

    /// What to acquire, in order, and the positions of the mounts that it is for.
    package static func cacheRequests(_ mounts: [ExecMount]) -> [(cache: CacheMount, positions: [Int])] {
        var common: [String: (cache: CacheMount, positions: [Int])] = [:]
        var own: [(cache: CacheMount, positions: [Int])] = []
        for (position, mount) in mounts.enumerated() {
            guard case .cache(let cache) = mount else { continue }
            guard cache.sharing != .private else {
                own.append((cache, [position]))
                continue
            }
            var request = common[cache.identity] ?? (cache, [])
            request.positions.append(position)
            if cache.sharing == .locked { request.cache.sharing = .locked }
            common[cache.identity] = request
        }
        return common.values.sorted { $0.cache.identity < $1.cache.identity } + own
    }
}
