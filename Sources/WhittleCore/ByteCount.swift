/// A number of bytes.
public struct ByteCount: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
    public let bytes: Int64

    public init(_ bytes: some BinaryInteger) { self.bytes = Int64(clamping: bytes) }
    public init(integerLiteral value: Int64) { bytes = value }

    public static let zero = ByteCount(0)
    public static func + (left: ByteCount, right: ByteCount) -> ByteCount { ByteCount(left.bytes + right.bytes) }
    public static func += (left: inout ByteCount, right: ByteCount) { left = left + right }
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    /// Reads a size as docker and BuildKit take it: a decimal number and an optional binary unit
    /// (`64m`, `1.5GiB`, `512`, `2kb`), case-insensitive. `nil` where the text is anything else.
    public init?(parsing text: some StringProtocol) {
        let text = text.lowercased()
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(number), value >= 0 else { return nil }
        let powers: [String: Int64] = [
            "": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50,
        ]
        var unit = String(text.dropFirst(number.count))
        if unit.count > 1, unit.hasSuffix("b") { unit.removeLast() }
        if unit.count > 1, unit.hasSuffix("i") { unit.removeLast() }
        guard let factor = powers[unit], value * Double(factor) < Double(Int64.max) else { return nil }
        bytes = Int64(value * Double(factor))
    }
}

extension ByteCount: CustomStringConvertible {
    /// Decimal units with up to three significant figures, as Docker's tables show sizes: `0B`, `7.11MB`, `1.2kB`.
    public var description: String {
        var value = Double(bytes)
        var unit = "B"
        for next in ["kB", "MB", "GB", "TB", "PB"] where abs(value) >= 1000 {
            value /= 1000
            unit = next
        }
        return Self.significant(value) + unit
    }

    /// `value` (below 1000 in size) with three significant figures and no trailing zeros.
    private static func significant(_ value: Double) -> String {
        var scale = 1
        while scale < 1000, abs(value) * Double(scale) < 100 { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        let whole = scaled / scale
        var fraction = String(abs(scaled % scale))
        let places = String(scale).count - 1
        fraction = String(repeating: "0", count: max(0, places - fraction.count)) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return fraction.isEmpty || places == 0 ? "\(whole)" : "\(whole).\(fraction)"
    }
}
