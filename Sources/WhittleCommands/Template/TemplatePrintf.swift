/// Go's `fmt.Sprintf` for the values of templates.
enum TemplatePrintf {
    /// `format` with its verbs `%s %v %q %d %x %X %o %b %c %f %e %g %t %T %%` replaced, with Go's flags `-+# 0`, width
    /// and precision. What does not fit shows in the text as in Go: `%!d(text=x)`, `%!s(MISSING)`, `%!(EXTRA …)`.
    static func text(_ format: String, _ values: [TemplateValue]) -> String {
        var result = ""
        var rest = values[...]
        var scalars = format.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            let layout = Layout(taking: &scalars)
            guard let verb = scalars.popFirst() else {
                result += "%!(NOVERB)"
                break
            }
            if verb == "%" {
                result += "%"
            } else if let value = rest.popFirst() {
                result += layout.padded(
                    shown(value, verb, layout), isNumber: "dxXobfFeEgG".unicodeScalars.contains(verb))
            } else {
                result += "%!\(verb)(MISSING)"
            }
        }
        if !rest.isEmpty { result += "%!(EXTRA \(rest.map { $0.printed }.joined(separator: ", ")))" }
        return result
    }

    /// What stands between `%` and the verb.
    private struct Layout {
        var isLeft = false
        var hasSign = false
        var hasZeros = false
        var width = 0
        var precision: Int?

        init(taking scalars: inout Substring.UnicodeScalarView) {
            while let flag = scalars.first, "-+# 0".unicodeScalars.contains(flag) {
                if flag == "-" { isLeft = true }
                if flag == "+" { hasSign = true }
                if flag == "0" { hasZeros = true }
                scalars = scalars.dropFirst()
            }
            width = Self.number(taking: &scalars) ?? 0
            if scalars.first == "." {
                scalars = scalars.dropFirst()
                precision = Self.number(taking: &scalars) ?? 0
            }
        }

        private static func number(taking scalars: inout Substring.UnicodeScalarView) -> Int? {
            var value: Int?
            while let scalar = scalars.first, ("0"..."9").contains(scalar) {
                // A width beyond any screen is the widest.
                value = min((value ?? 0) * 10 + Int(scalar.value - 48), TemplateFunction.longest)
                scalars = scalars.dropFirst()
            }
            return value
        }

        func padded(_ text: String, isNumber: Bool) -> String {
            let missing = width - text.unicodeScalars.count
            guard missing > 0 else { return text }
            if isLeft { return text + String(repeating: " ", count: missing) }
            guard hasZeros, isNumber else { return String(repeating: " ", count: missing) + text }
            let sign = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.prefix(1)) : ""
            return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.count)
        }
    }

    private static func shown(_ value: TemplateValue, _ verb: Unicode.Scalar, _ layout: Layout) -> String {
        switch (verb, value) {
        case ("v", .none): return "<nil>"
        case ("v", _): return value.printed
        case ("s", .text(let text)), ("q", .text(let text)):
            let short = layout.precision.map { String(text.unicodeScalars.prefix($0)) } ?? text
            return verb == "s" ? short : quoted(short)
        case ("s", .list), ("s", .map), ("s", .record): return value.printed
        case ("t", .bool): return value.printed
        case ("d", .integer(let number)): return signed(String(number), layout)
        case ("x", .integer(let number)): return signed(String(number, radix: 16), layout)
        case ("X", .integer(let number)): return signed(String(number, radix: 16, uppercase: true), layout)
        case ("o", .integer(let number)): return signed(String(number, radix: 8), layout)
        case ("b", .integer(let number)): return signed(String(number, radix: 2), layout)
        case ("c", .integer(let number)):
            return String(Character(UInt32(exactly: number).flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}"))
        case ("x", .text(let text)):
            return text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case ("f", .number(let number)), ("F", .number(let number)):
            return signed(fixed(number, layout.precision ?? 6), layout)
        case ("g", .number), ("e", .number): return signed(value.printed, layout)
        case ("T", _): return typeName(value)
        default: return "%!\(verb)(\(typeName(value))=\(value.printed))"
        }
    }

    private static func signed(_ text: String, _ layout: Layout) -> String {
        layout.hasSign && !text.hasPrefix("-") ? "+" + text : text
    }

    /// `number` with `places` digits behind the point, at most 15, beyond which a double knows none.
    private static func fixed(_ number: Double, _ places: Int) -> String {
        let places = min(places, 15)
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        let scaled = (number.magnitude * factor).rounded(.toNearestOrEven)
        guard scaled < 9e18 else { return "\(number)" }
        let digits = String(Int64(scaled))
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        let sign = number < 0 ? "-" : ""
        return places == 0 ? sign + padded : "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func typeName(_ value: TemplateValue) -> String {
        switch value {
        case .none: "<nil>"
        case .bool: "bool"
        case .integer: "int"
        case .number: "float64"
        case .text: "string"
        case .list: "[]string"
        case .map: "map[string]string"
        case .record: "struct"
        }
    }
}
