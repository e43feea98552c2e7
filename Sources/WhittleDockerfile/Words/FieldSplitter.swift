/// Collects the fields of a word while it is expanded.
struct FieldSplitter {
    private var fields: [[UInt8]] = []
    private var field: [UInt8] = []
    /// Nothing is collected where nobody asks for fields.
    private let collects: Bool

    init(collects: Bool) { self.collects = collects }

    /// Adds quoted text: blanks in it split nothing.
    mutating func add(_ text: [UInt8]) {
        if collects { field += text }
    }

    mutating func add(scalar: UInt32) {
        if collects { UTF8Text.append(scalar, to: &field) }
    }

    /// Adds unquoted text: blanks in it end a field.
    mutating func addSplitting(_ text: [UInt8]) {
        guard collects else { return }
        var index = 0
        while index < text.count {
            let (scalar, length) = UTF8Text.scalar(in: text, at: index, before: text.count)
            addSplitting(scalar: scalar)
            index += length
        }
    }

    mutating func addSplitting(scalar: UInt32) {
        guard Blank.isUnicode(scalar) else { return add(scalar: scalar) }
        endField()
    }

    /// Forgets what the current field holds.
    mutating func dropField() { field = [] }

    /// The fields so far; a field that is empty at its end is none.
    mutating func finish() -> [[UInt8]] {
        endField()
        return fields
    }

    private mutating func endField() {
        guard !field.isEmpty else { return }
        fields.append(field)
        field = []
    }
}
