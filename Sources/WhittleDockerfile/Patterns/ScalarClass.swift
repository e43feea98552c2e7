/// What one place of a pattern accepts.
enum ScalarClass: Hashable, Sendable {
    case literal(UInt32)
    case anyButNewline
    case anyButSlash
    case set(ScalarSet)

    func contains(_ scalar: UInt32) -> Bool {
        switch self {
        case .literal(let wanted): scalar == wanted
        case .anyButNewline: scalar != 0x0A
        case .anyButSlash: scalar != 0x2F
        case .set(let set): set.contains(scalar)
        }
    }
}

/// A bracket expression.
struct ScalarSet: Hashable, Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool {
        ranges.contains { $0.contains(scalar) } != isNegated
    }

    mutating func insert(_ scalar: UInt32) { ranges.append(scalar...scalar) }

    /// Everything that `other` does not contain, for `\D` inside brackets.
    mutating func insertComplement(of other: ScalarSet) {
        var next: UInt32 = 0
        for range in other.ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { ranges.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        ranges.append(next...0x10FFFF)
    }
}
