/// Variables in the order of their last assignment, each name once.
struct VariableList: Hashable, Sendable {
    private(set) var entries: [Entry] = []

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
        get { entries.last { $0.name == name }?.value }
        set {
            entries.removeAll { $0.name == name }
            if let newValue { entries.append(Entry(name: name, value: newValue)) }
        }
    }

    var names: [String] { entries.map(\.name) }

    /// `NAME=VALUE`, in order.
    var assignments: [String] { entries.map { "\($0.name)=\($0.value)" } }

    /// Takes `NAME=VALUE` apart at the first `=`.
    static func split(_ assignment: String) -> (name: String, value: String) {
        guard let equals = assignment.firstIndex(of: "=") else { return (assignment, "") }
        return (String(assignment[..<equals]), String(assignment[assignment.index(after: equals)...]))
    }
}
