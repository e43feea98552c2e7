extension SeccompTable {
    /// One line of the table.
    struct Row {
        let name: String
        let condition: RowCondition
        /// The number on each of ``SeccompArchitecture``, in its order.
        let numbers: [UInt32?]
    }

    /// When the default profile allows a call.
    enum RowCondition {
        case always, conditional
        /// With any of these.
        case capabilities(Set<Capability>)
    }

    static let rows: [Row] = {
        var rows: [Row] = []
        var condition = RowCondition.always
        for line in text.split(separator: "\n") {
            if line.first == "[" {
                let words = line.dropFirst().dropLast().split(separator: " ").map(String.init)
                switch words.first {
                case "always": condition = .always
                case "conditional": condition = .conditional
                default: condition = .capabilities(Set(words.map { Capability(rawValue: $0) }))
                }
                continue
            }
            let fields = line.utf8.split(separator: UInt8(ascii: " "))
            rows.append(
                Row(
                    name: String(Substring(fields[0])), condition: condition,
                    numbers: fields.dropFirst().map { UInt32(Substring($0)) }))
        }
        return rows
    }()
}
