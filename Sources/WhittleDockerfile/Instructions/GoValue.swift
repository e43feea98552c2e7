/// Values written as Go's standard library reads them.
enum GoValue {
    /// `1h30m`, `1.5s`, `-2ms`, `0`; `nil` for anything else and beyond ±2⁶³ nanoseconds.
    static func duration(_ text: String) -> Duration? {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest == [UInt8(ascii: "0")] { return .zero }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            guard let part = durationPart(&rest) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return .nanoseconds(isNegative ? -total : total)
    }

    /// One `NUMBER UNIT` in nanoseconds.
    private static func durationPart(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        let whole = rest.prefix { isDigit($0) }
        rest = rest[whole.endIndex...]
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = rest.prefix { isDigit($0) }
            rest = rest[fraction.endIndex...]
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let unitText = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
        rest = rest[unitText.endIndex...]
        guard let unit = durationUnits[UTF8Text.string(Array(unitText), 0..<unitText.count)] else { return nil }
        guard let value = whole.isEmpty ? 0 : Int64(UTF8Text.string(Array(whole), 0..<whole.count)) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        guard !fraction.isEmpty else { return product }
        // 18 digits are finer than a nanosecond of any unit.
        let digits = fraction.prefix(18)
        let scale = digits.reduce(1.0) { scale, _ in scale * 10 }
        let number = digits.reduce(0.0) { $0 * 10 + Double($1 - UInt8(ascii: "0")) }
        let (sum, tooLarge) = product.addingReportingOverflow(Int64(number * (Double(unit) / scale)))
        return tooLarge ? nil : sum
    }

    private static let durationUnits: [String: Int64] = [
        "ns": 1, "us": 1_000, "\u{B5}s": 1_000, "\u{3BC}s": 1_000, "ms": 1_000_000, "s": 1_000_000_000,
        "m": 60_000_000_000, "h": 3_600_000_000_000,
    ]

    /// `1 t T TRUE true True` and their opposites.
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default: nil
        }
    }

    /// Digits of `radix` alone, without a sign.
    static func unsigned(_ text: String, radix: Int) -> UInt32? {
        guard let first = text.utf8.first, isDigit(first) else { return nil }
        return UInt32(text, radix: radix)
    }

    /// A size as docker reads it: a decimal number and one of `b k kb kib m … p`, in any casing, a blank between
    /// allowed. Units are powers of 1024.
    static func byteSize(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let number: ArraySlice<UInt8>
        let suffix: ArraySlice<UInt8>
        if let blank = bytes.firstIndex(of: UInt8(ascii: " ")) {
            (number, suffix) = (bytes[..<blank], bytes[(blank + 1)...])
        } else {
            guard let last = bytes.lastIndex(where: { isDigit($0) || $0 == UInt8(ascii: ".") }) else { return nil }
            (number, suffix) = (bytes[...last], bytes[(last + 1)...])
        }
        guard number.allSatisfy({ isDigit($0) || ".eE+-".utf8.contains($0) }),
            let value = Double(UTF8Text.string(Array(number), 0..<number.count)), value >= 0,
            let factor = sizeFactor(UTF8Text.string(Array(suffix), 0..<suffix.count).lowercased())
        else { return nil }
        let size = value * factor
        return size < 0x1p63 ? Int64(size) : nil
    }

    private static func sizeFactor(_ suffix: String) -> Double? {
        if suffix.isEmpty || suffix == "b" { return 1 }
        let units = ["k", "m", "g", "t", "p"]
        guard let power = units.firstIndex(of: String(suffix.prefix(1))),
            ["", "b", "ib"].contains(suffix.dropFirst())
        else { return nil }
        return (0...power).reduce(1.0) { factor, _ in factor * 1024 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
