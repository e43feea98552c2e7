internal import WhittleOCI

/// The notations that `docker history` shows values in. They are those of Go's formatted printing, which tools that read
/// history expect.
enum HistoryText {
    /// `[a b]`.
    static func list(_ words: [String]) -> String { "[\(words.joined(separator: " "))]" }

    /// `["a" "b"]`.
    static func quotedList(_ words: [String]) -> String { list(words.map { quoted($0) }) }

    /// A string in double quotes, with what is not printable escaped.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{07}": result += "\\a"
            case "\u{08}": result += "\\b"
            case "\u{0C}": result += "\\f"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0B}": result += "\\v"
            case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x80: result += "\\x" + hex(scalar, digits: 2)
            case _ where scalar.value < 0x10000: result += "\\u" + hex(scalar, digits: 4)
            default: result += "\\U" + hex(scalar, digits: 8)
            }
        }
        return result + "\""
    }

    /// `1h0m0s`, `1m30s`, `1.5s`, `250ms`, `0s`.
    static func duration(_ duration: Duration) -> String {
        let parts = duration.components
        let (whole, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, whole >= 0, parts.attoseconds >= 0 else { return "\(parts.seconds)s" }
        let (nanoseconds, carry) = whole.addingReportingOverflow(parts.attoseconds / 1_000_000_000)
        guard !carry else { return "\(parts.seconds)s" }
        if nanoseconds == 0 { return "0s" }
        for (unit, size) in [("ns", 1_000), ("µs", 1_000_000), ("ms", 1_000_000_000)] as [(String, Int64)]
        where nanoseconds < size {
            return decimal(nanoseconds, per: size / 1_000) + unit
        }
        let seconds = decimal(nanoseconds % 60_000_000_000, per: 1_000_000_000) + "s"
        let minutes = nanoseconds / 60_000_000_000
        if minutes == 0 { return seconds }
        return minutes < 60 ? "\(minutes)m\(seconds)" : "\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    /// `{Test:[CMD-SHELL true] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:3}`.
    static func healthcheck(_ check: Healthcheck) -> String {
        let times = [
            ("Interval", check.interval), ("Timeout", check.timeout), ("StartPeriod", check.startPeriod),
            ("StartInterval", check.startInterval),
        ]
        let shown = times.map { name, value in "\(name):\(duration(value ?? .zero))" }.joined(separator: " ")
        return "{Test:\(list(check.test)) \(shown) Retries:\(check.retries ?? 0)}"
    }

    private static func decimal(_ value: Int64, per unit: Int64) -> String {
        let fraction = value % unit
        guard fraction > 0 else { return "\(value / unit)" }
        // The leading 1 keeps the fraction's own leading zeros.
        var digits = String(String(unit + fraction).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(value / unit).\(digits)"
    }

    private static func hex(_ scalar: Unicode.Scalar, digits: Int) -> String {
        let text = String(scalar.value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            return false
        default: return true
        }
    }
}
