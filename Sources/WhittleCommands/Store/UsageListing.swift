internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleMaintenance
internal import WhittleOCI

/// What `whittle du` prints.
struct UsageListing {
    /// Most recently used first.
    private let rows: [(object: StoreObject, facts: ObjectFacts)]
    private let overhead: ByteCount
    private let isFiltered: Bool
    private let now: Timestamp

    init(_ inventory: Inventory, filters: [ObjectFilter], now: Timestamp) {
        let facts = inventory.facts
        rows = inventory.objects.values.compactMap { object in
            guard let own = facts[object.id], filters.allSatisfy({ $0.accepts(object, own) }) else { return nil }
            return (object, own)
        }.sorted { left, right in
            if left.facts.lastUsed != right.facts.lastUsed { return left.facts.lastUsed > right.facts.lastUsed }
            return left.object.id < right.object.id
        }
        overhead = inventory.overhead
        isFiltered = !filters.isEmpty
        self.now = now
    }

    /// The table of `docker buildx du`.
    var table: String {
        var table = TextTable(["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"])
        for (object, facts) in rows {
            table.add([
                object.id.short, "\(facts.isReclaimable)", object.size.description,
                RelativeTime.text(of: facts.lastUsed, now: now),
            ])
        }
        return table.text + totals
    }

    /// One paragraph for each object, with BuildKit's labels.
    var verbose: String {
        rows.map { object, facts in
            var lines = [("ID", object.id.description)]
            if !object.needs.isEmpty {
                lines.append(("Parents", object.needs.map(\.description).joined(separator: ", ")))
            }
            lines += [
                ("Created at", object.created.map { RelativeTime.absolute($0) } ?? "N/A"),
                ("Mutable", "\(object.type == .cacheMount)"), ("Reclaimable", "\(facts.isReclaimable)"),
                ("Shared", "\(facts.isShared)"), ("In use", "\(facts.isInUse)"), ("Size", object.size.description),
                ("Description", BuildError.printable(object.description)),
                ("Last used", RelativeTime.text(of: facts.lastUsed, now: now)), ("Type", object.type.rawValue),
            ]
            return Self.aligned(lines) + "\n"
        }.joined() + totals
    }

    /// One JSON object a line, with the keys of `docker buildx du --format json`.
    var json: String {
        rows.map { object, facts in
            var value: JSONValue = [
                "Description": .string(object.description), "ID": .string(object.id.description),
                "InUse": .bool(facts.isInUse), "LastUsedAt": .string(facts.lastUsed.rfc3339),
                "Mutable": .bool(object.type == .cacheMount), "Reclaimable": .bool(facts.isReclaimable),
                "Shared": .bool(facts.isShared), "Size": .integer(object.size.bytes),
                "Type": .string(object.type.rawValue),
            ]
            if let created = object.created { value["CreatedAt"] = .string(created.rfc3339) }
            if !object.needs.isEmpty { value["Parents"] = .array(object.needs.map { .string($0.description) }) }
            return value.text() + "\n"
        }.joined()
    }

    private var totals: String {
        func sum(_ isCounted: (ObjectFacts) -> Bool) -> ByteCount {
            rows.reduce(.zero) { isCounted($1.facts) ? $0 + $1.object.size : $0 }
        }
        let shared = sum(\.isShared)
        let all = sum { _ in true }
        var lines: [(String, String)] = []
        if shared > .zero {
            lines += [("Shared", shared.description), ("Private", ByteCount(all.bytes - shared.bytes).description)]
        }
        lines += [
            ("Reclaimable", sum(\.isReclaimable).description),
            ("Total", (isFiltered ? all : all + overhead).description),
        ]
        return Self.aligned(lines)
    }

    /// `LABEL:` and the value, in two columns.
    private static func aligned(_ lines: [(String, String)]) -> String {
        lines.map { label, value in
            label + ":" + String(repeating: " ", count: max(1, 14 - label.count)) + value + "\n"
        }.joined()
    }
}
