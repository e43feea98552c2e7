package import WhittleCore

/// What is in a store at one moment: its removable parts, and what keeps them.
package struct Inventory: Sendable {
    package var objects: [ObjectID: StoreObject]
    /// What named images consist of.
    package var named: Set<ObjectID>
    /// What living processes hold, by itself: without what it needs.
    package var held: Set<ObjectID>
    /// Disk space of all the rest: the database, directories, what processes are working on.
    package var overhead: ByteCount

    package init(
        _ objects: [StoreObject], named: Set<ObjectID> = [], held: Set<ObjectID> = [], overhead: ByteCount = .zero
    ) {
        self.objects = Dictionary(objects.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.named = named
        self.held = held
        self.overhead = overhead
    }

    /// Disk space of the whole store.
    package var total: ByteCount { objects.values.reduce(overhead) { $0 + $1.size } }

    /// `ids` and everything that they need, directly or not.
    package func closure(of ids: some Sequence<ObjectID>) -> Set<ObjectID> {
        var closure = Set(ids)
        var open = Array(closure)
        while let id = open.popLast() {
            for needed in objects[id]?.needs ?? [] where closure.insert(needed).inserted { open.append(needed) }
        }
        return closure
    }

    /// What a running build uses.
    package var inUse: Set<ObjectID> { closure(of: held) }

    /// What may not be removed.
    package var kept: Set<ObjectID> { closure(of: held.union(named)) }

    /// Snapshots that named images were made from: with them, building such an image again takes a moment.
    package var shared: Set<ObjectID> {
        closure(of: objects.values.filter { $0.companions.contains { named.contains($0) } }.map(\.id))
            .union(named)
    }

    /// For each object, when it or something that needs it was last used. What no build can find again counts as never
    /// used.
    package var lastUses: [ObjectID: Timestamp] {
        var uses: [ObjectID: Timestamp] = [:]
        for object in objects.values {
            let own = object.isForgotten ? Timestamp(seconds: 0) : object.lastUsed
            for id in closure(of: [object.id]) { uses[id] = max(uses[id] ?? own, own) }
        }
        return uses
    }

    /// How many steps lie between each object and one that needs nothing.
    package var depths: [ObjectID: Int] {
        var depths: [ObjectID: Int] = [:]
        for id in objects.keys { _ = depth(of: id, &depths) }
        return depths
    }

    private func depth(of id: ObjectID, _ depths: inout [ObjectID: Int]) -> Int {
        if let known = depths[id] { return known }
        // Against a circle, which only damage can make.
        depths[id] = 0
        var depth = 0
        for needed in objects[id]?.needs ?? [] { depth = max(depth, 1 + self.depth(of: needed, &depths)) }
        depths[id] = depth
        return depth
    }
}
