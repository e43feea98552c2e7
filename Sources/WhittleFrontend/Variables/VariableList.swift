/// Variables in the order of their last assignment, each name once.
struct VariableList: Sendable {
    /// In order; `nil` where a later assignment took a variable's place.
    private var slots: [Entry?] = []
    /// Where each variable stands in `slots`.
    private var positions: [String: Int] = [:]
    /// Bytes of all names and values.
    private(set) var size = 0

    /// How many there are.
    var count: Int { positions.count }

    struct Entry: Hashable, Sendable {
        let name: String
        let value: String
    }

    init() {}

    /// Reads `NAME=VALUE`; without a `=` the value is empty.
    init(assignments: some Sequence<String>) {
        for assignment in assignments {
            let parts = Self.split(assignment)
            self[parts.name] = parts.value
        }
    }

    /// The value of a variable, `nil` where it is not set. Assigning puts it last.
    subscript(name: String) -> String? {
        get { positions[name].flatMap { slots[$0]?.value } }
        set {
            if let old = positions.removeValue(forKey: name) {
                size -= name.utf8.count + (slots[old]?.value.utf8.count ?? 0)
                slots[old] = nil
            }
            guard let newValue else { return }
            if slots.count > 32, slots.count > 2 * positions.count { removeGaps() }
            size += name.utf8.count + newValue.utf8.count
            positions[name] = slots.count
            slots.append(Entry(name: name, value: newValue))
        }
    }

    var entries: [Entry] { slots.compactMap { $0 } }

    var names: [String] { entries.map(\.name) }

    /// `NAME=VALUE`, in order.
    var assignments: [String] { entries.map { "\($0.name)=\($0.value)" } }

    private mutating func removeGaps() {
        slots.removeAll { $0 == nil }
        for (position, entry) in slots.enumerated() {
            if let entry { positions[entry.name] = position }
        }
    }

    /// Takes `NAME=VALUE` apart at the first `=`.
    static func split(_ assignment: String) -> (name: String, value: String) {
        guard let equals = assignment.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (assignment, "") }
        return (String(assignment[..<equals]), String(assignment[assignment.utf8.index(after: equals)...]))
    }
}
