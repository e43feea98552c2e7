internal import WhittleCore
internal import WhittleOCI

/// A call of a function: Go's own, and those that docker adds.
struct TemplateFunction {
    let name: String
    let column: Int
    /// Whether functions that change a text's looks give it back as it is: for headings.
    let leavesTextsAlone: Bool

    private static let comparisons = ["eq", "ne", "lt", "le", "gt", "ge"]
    private static let looks = ["json", "lower", "upper", "title", "truncate", "pad"]
    private static let names =
        comparisons + looks + [
            "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "join", "split",
        ]

    static func check(_ name: String, _ column: Int) throws(TemplateProblem) {
        guard !names.contains(name) else { return }
        throw TemplateProblem(
            "there is no function '\(name)'", at: column,
            hint: NearestName.of(name, among: names).map { "did you mean '\($0)'?" }
                ?? "the functions are \(names.sorted().joined(separator: ", ")); a field begins with a dot")
    }

    func call(_ arguments: [TemplateValue]) throws(TemplateProblem) -> TemplateValue {
        if leavesTextsAlone, Self.looks.contains(name), let first = arguments.first { return first }
        switch name {
        case "and", "or":
            guard let last = arguments.last else { throw wrong("takes at least one argument") }
            return last
        case "not": return .bool(try only(arguments).isEmpty)
        case "len": return .integer(Int64(try count(of: only(arguments))))
        case "index": return try index(arguments)
        case "slice": return try slice(arguments)
        case "print": return .text(Self.joined(arguments))
        case "println": return .text(arguments.map { $0.printed }.joined(separator: " ") + "\n")
        case "printf":
            guard let format = arguments.first else { throw wrong("takes a format and its values") }
            return .text(TemplatePrintf.text(try text(format), Array(arguments.dropFirst())))
        case "json": return .text(try only(arguments).json.text(as: .compact))
        case "lower": return .text(try text(only(arguments)).lowercased())
        case "upper": return .text(try text(only(arguments)).uppercased())
        case "title": return .text(Self.title(try text(only(arguments))))
        case "split", "join", "truncate", "pad": return try texts(arguments)
        default: return try compare(arguments)
        }
    }

    // MARK: Texts

    private func texts(_ arguments: [TemplateValue]) throws(TemplateProblem) -> TemplateValue {
        switch name {
        case "split":
            try expect(arguments, 2, "a text and a separator")
            return .texts(Self.split(try text(arguments[0]), by: try text(arguments[1])))
        case "join":
            try expect(arguments, 2, "a list and a separator")
            guard case .list(let elements) = arguments[0] else {
                throw wrong("takes a list, found \(arguments[0].kind)")
            }
            return .text((elements ?? []).map { $0.printed }.joined(separator: try text(arguments[1])))
        case "truncate":
            try expect(arguments, 2, "a text and a length")
            return .text(String(try text(arguments[0]).prefix(try number(arguments[1], 0...Self.longest))))
        default:
            try expect(arguments, 3, "a text and the numbers of blanks before and behind it")
            let padded = try text(arguments[0])
            let before = try number(arguments[1], 0...Self.longest)
            let behind = try number(arguments[2], 0...Self.longest)
            if padded.isEmpty { return .text("") }
            return .text(
                String(repeating: " ", count: before) + padded + String(repeating: " ", count: behind))
        }
    }

    /// Longer texts than anybody pads.
    static let longest = 1 << 16

    /// Each word with its first letter large.
    private static func title(_ text: String) -> String {
        var result = ""
        var isStart = true
        for character in text {
            result += isStart ? character.uppercased() : String(character)
            isStart = !(character.isLetter || character.isNumber || character == "_" || character == "'")
        }
        return result
    }

    private static func split(_ text: String, by separator: String) -> [String] {
        if separator.isEmpty { return text.map { String($0) } }
        var parts: [String] = []
        var rest = Substring(text)
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }

    /// As Go's `fmt.Sprint`: a blank between two values of which neither is a text.
    private static func joined(_ values: [TemplateValue]) -> String {
        var result = ""
        var wasText = true
        for value in values {
            let isText = if case .text = value { true } else { false }
            if !wasText, !isText { result += " " }
            result += value.printed
            wasText = isText
        }
        return result
    }

    // MARK: Lists, maps and parts of texts

    private func count(of value: TemplateValue) throws(TemplateProblem) -> Int {
        switch value {
        case .text(let text): return text.utf8.count
        case .list(let elements): return elements?.count ?? 0
        case .map(let members): return members?.count ?? 0
        default: throw wrong("takes a text, a list or a map, found \(value.kind)")
        }
    }

    private func index(_ arguments: [TemplateValue]) throws(TemplateProblem) -> TemplateValue {
        guard var value = arguments.first else { throw wrong("takes a list or a map, and what to look up in it") }
        for key in arguments.dropFirst() {
            switch value {
            case .map(let members): value = members?[try text(key)] ?? .text("")
            case .list(let elements):
                let elements = elements ?? []
                let position = try number(key, 0...Int.max)
                guard position < elements.count else {
                    throw wrong("looks for element \(position) in a list of \(elements.count), counted from 0")
                }
                value = elements[position]
            default: throw wrong("takes a list or a map, found \(value.kind)")
            }
        }
        return value
    }

    private func slice(_ arguments: [TemplateValue]) throws(TemplateProblem) -> TemplateValue {
        guard let value = arguments.first, arguments.count <= 3 else {
            throw wrong("takes a text or a list, and from where to where")
        }
        let length = try count(of: value)
        let start = arguments.count > 1 ? try number(arguments[1], 0...length) : 0
        let end = arguments.count > 2 ? try number(arguments[2], start...length) : length
        switch value {
        case .text(let text): return .text(String(decoding: Array(text.utf8)[start..<end], as: UTF8.self))
        case .list(let elements): return .list(Array((elements ?? [])[start..<end]))
        default: throw wrong("takes a text or a list, found \(value.kind)")
        }
    }

    // MARK: Comparison

    private func compare(_ arguments: [TemplateValue]) throws(TemplateProblem) -> TemplateValue {
        guard arguments.count >= 2, name == "eq" || arguments.count == 2 else { throw wrong("takes two arguments") }
        let left = arguments[0]
        switch name {
        case "eq":
            for right in arguments.dropFirst() where try isEqual(left, right) { return .bool(true) }
            return .bool(false)
        case "ne": return .bool(!(try isEqual(left, arguments[1])))
        case "lt": return .bool(try isLess(left, arguments[1]))
        case "le": return .bool(!(try isLess(arguments[1], left)))
        case "gt": return .bool(try isLess(arguments[1], left))
        default: return .bool(!(try isLess(left, arguments[1])))
        }
    }

    private func isEqual(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateProblem) -> Bool {
        switch (left, right) {
        case (.none, _), (_, .none): return left == right
        case (.bool, .bool), (.integer, .integer), (.number, .number), (.text, .text): return left == right
        default: throw wrong("cannot compare \(left.kind) with \(right.kind)")
        }
    }

    private func isLess(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateProblem) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): return left < right
        case (.number(let left), .number(let right)): return left < right
        case (.text(let left), .text(let right)): return left.utf8.lexicographicallyPrecedes(right.utf8)
        default: throw wrong("cannot order \(left.kind) and \(right.kind)")
        }
    }

    // MARK: Arguments

    private func wrong(_ problem: String) -> TemplateProblem { TemplateProblem("'\(name)' \(problem)", at: column) }

    private func expect(_ arguments: [TemplateValue], _ count: Int, _ what: String) throws(TemplateProblem) {
        if arguments.count != count { throw wrong("takes \(what), found \(arguments.count) arguments") }
    }

    private func only(_ arguments: [TemplateValue]) throws(TemplateProblem) -> TemplateValue {
        guard let first = arguments.first, arguments.count == 1 else {
            throw wrong("takes one argument, found \(arguments.count)")
        }
        return first
    }

    private func text(_ value: TemplateValue) throws(TemplateProblem) -> String {
        guard case .text(let text) = value else { throw wrong("takes a text, found \(value.kind)") }
        return text
    }

    private func number(_ value: TemplateValue, _ range: ClosedRange<Int>) throws(TemplateProblem) -> Int {
        guard case .integer(let number) = value else { throw wrong("takes a whole number, found \(value.kind)") }
        guard let number = Int(exactly: number), range.contains(number) else {
            throw wrong(
                range.upperBound == .max
                    ? "takes no negative number" : "takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
