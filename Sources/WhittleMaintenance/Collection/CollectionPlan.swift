internal import WhittleCore

/// Which parts of a store are removed, and in which order: least recently used first, and nothing before what needs it.
///
/// A pure function of the inventory and the policy.
package struct CollectionPlan: Sendable {
    /// In the order of removal.
    package private(set) var victims: [StoreObject] = []

    package init(_ inventory: Inventory, _ policy: CollectionPolicy) {
        let facts = inventory.facts
        let eligible = Self.eligible(inventory, policy, facts)
        let depths = inventory.depths
        let order = eligible.compactMap { inventory.objects[$0] }.sorted { left, right in
            let (a, b) = (facts[left.id]?.lastUsed ?? left.lastUsed, facts[right.id]?.lastUsed ?? right.lastUsed)
            if a != b { return a < b }
            let (c, d) = (depths[left.id] ?? 0, depths[right.id] ?? 0)
            if c != d { return c > d }
            return left.id < right.id
        }
        var total = inventory.total.bytes
        var taken: Set<ObjectID> = []
        for object in order {
            for id in [object.id] + object.companions where eligible.contains(id) && !taken.contains(id) {
                if let limit = policy.limit, total <= limit.bytes { return }
                guard let victim = inventory.objects[id] else { continue }
                taken.insert(id)
                victims.append(victim)
                total -= victim.size.bytes
            }
        }
    }

    /// What may go: allowed by the policy, and nothing that stays needs it.
    private static func eligible(
        _ inventory: Inventory, _ policy: CollectionPolicy, _ facts: [ObjectID: ObjectFacts]
    ) -> Set<ObjectID> {
        var eligible: Set<ObjectID> = []
        for object in inventory.objects.values {
            guard let own = facts[object.id], own.isReclaimable else { continue }
            guard policy.includesShared || !own.isShared else { continue }
            guard policy.candidates?.contains(object.id) ?? true else { continue }
            guard policy.filters.allSatisfy({ $0.accepts(object, own) }) else { continue }
            eligible.insert(object.id)
        }
        let staying = inventory.objects.keys.filter { !eligible.contains($0) }
        return eligible.subtracting(inventory.closure(of: staying))
    }
}

extension Inventory {
    /// What is true of each object.
    package var facts: [ObjectID: ObjectFacts] {
        let (uses, inUse, shared, kept) = (lastUses, inUse, shared, kept)
        return Dictionary(
            uniqueKeysWithValues: objects.values.map { object in
                let id = object.id
                return (
                    id,
                    ObjectFacts(
                        lastUsed: uses[id] ?? object.lastUsed, isInUse: inUse.contains(id),
                        isShared: shared.contains(id), isReclaimable: !kept.contains(id))
                )
            })
    }
}
