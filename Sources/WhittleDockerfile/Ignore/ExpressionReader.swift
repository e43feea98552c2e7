/// Reads the regular expressions that ``IgnoreExpression`` writes: literals, escapes, brackets, `[…]*`, `.*`, `(.*/)?`,
/// `{N,M}`, `|`, `^` and `$`, in Go's syntax.
struct ExpressionReader {
    private let text: [UInt32]
    private var index = 0

    init(_ text: [UInt32]) { self.text = text }

    /// One program for each alternative, to be searched for anywhere in a path. `nil` where the text is no expression in
    /// Go's syntax, or one with a Unicode class (`\pL`), which an ignore file can only hold by mistake.
    mutating func programs() -> [PatternProgram]? {
        var programs: [PatternProgram] = []
        var program = PatternProgram()
        // Whether the last step may be repeated: there is one, and it is no repetition itself.
        var isRepeatable = false
        while let scalar = take() {
            var repeatsNext = true
            switch Self.character(scalar) {
            case "(":
                // Only `(.*/)?` is ever written.
                index += 5
                program.steps += [
                    .optional(count: 2), .star(.anyButNewline, isGreedy: true), .one(.literal(0x2F)),
                ]
                repeatsNext = false
            case ".": repeatsNext = appendRepeatable(.anyButNewline, to: &program)
            case "[":
                guard let set = brackets() else { return nil }
                repeatsNext = appendRepeatable(.set(set), to: &program)
            case "{":
                switch repetition() {
                case .none: program.steps.append(.one(.literal(scalar)))
                case .some(nil): return nil
                case .some(let counts?):
                    guard isRepeatable else { return nil }
                    Self.repeatLast(counts, of: &program)
                    repeatsNext = false
                }
            case "|":
                programs.append(program)
                program = PatternProgram()
                repeatsNext = false
            case "^": program.steps.append(.textStart)
            case "$": program.steps.append(.textEnd)
            case "\\":
                guard let next = appendEscape(to: &program) else { return nil }
                repeatsNext = next
            default: program.steps.append(.one(.literal(scalar)))
            }
            isRepeatable = repeatsNext
        }
        return programs + [program]
    }

    /// Appends a place that `*` may follow; `false` where it does.
    private mutating func appendRepeatable(_ accepted: ScalarClass, to program: inout PatternProgram) -> Bool {
        guard peek() == 0x2A else {
            program.steps.append(.one(accepted))
            return true
        }
        index += 1
        program.steps.append(.star(accepted, isGreedy: true))
        return false
    }

    // MARK: Repetitions

    private typealias Counts = (least: Int, most: Int?)
    private static let repetitionLimit = 1000

    /// Reads `N}`, `N,}` or `N,M}` after a brace. `.some(nil)` where the numbers are too large or in the wrong order,
    /// `.none` where it is no repetition, so that the brace is itself.
    private mutating func repetition() -> Counts?? {
        let start = index
        guard let least = number() else {
            index = start
            return .none
        }
        var most: Int? = least
        if peek() == 0x2C {
            index += 1
            if peek() == 0x7D {
                most = nil
            } else if let number = number() {
                most = number
            } else {
                index = start
                return .none
            }
        }
        guard take() == 0x7D else {
            index = start
            return .none
        }
        guard least <= Self.repetitionLimit, (most ?? least) <= Self.repetitionLimit, least <= most ?? least else {
            return .some(nil)
        }
        return (least, most)
    }

    /// A number without leading zeros; a very large one is only known to be so.
    private mutating func number() -> Int? {
        var value = 0
        var digits = 0
        let first = peek()
        while let digit = peek(), (0x30...0x39).contains(digit) {
            value = min(value * 10 + Int(digit) - 0x30, 1_000_000)
            digits += 1
            index += 1
        }
        return digits == 0 || (digits > 1 && first == 0x30) ? nil : value
    }

    private static func repeatLast(_ counts: Counts, of program: inout PatternProgram) {
        guard let step = program.steps.popLast() else { return }
        program.steps += Array(repeating: step, count: counts.least)
        if let most = counts.most {
            for _ in counts.least..<most { program.steps += [.optional(count: 1), step] }
        } else if case .one(let accepted) = step {
            program.steps.append(.star(accepted, isGreedy: true))
        } else {
            program.steps += [.optional(count: 1), step]
        }
    }

    /// Appends what stands after a backslash. Whether it may be repeated; `nil` where it has no meaning.
    private mutating func appendEscape(to program: inout PatternProgram) -> Bool? {
        guard let scalar = peek() else { return nil }
        switch Self.character(scalar) {
        case "A": program.steps.append(.textStart)
        case "z": program.steps.append(.textEnd)
        case "b": program.steps.append(.wordBoundary(true))
        case "B": program.steps.append(.wordBoundary(false))
        case "Q":
            index += 1
            return appendQuotation(to: &program)
        default:
            if let set = perlClass(scalar) {
                index += 1
                return appendRepeatable(.set(set), to: &program)
            }
            guard let literal = escapedScalar() else { return nil }
            program.steps.append(.one(.literal(literal)))
            return true
        }
        index += 1
        return true
    }

    /// Everything up to `\E` as it stands.
    private mutating func appendQuotation(to program: inout PatternProgram) -> Bool {
        while let scalar = take() {
            if scalar == 0x5C, peek() == 0x45 {
                index += 1
                break
            }
            program.steps.append(.one(.literal(scalar)))
        }
        return !program.steps.isEmpty
    }

    // MARK: Brackets

    /// Reads a bracket expression after its `[`.
    private mutating func brackets() -> ScalarSet? {
        var set = ScalarSet()
        if peek() == 0x5E {
            set.isNegated = true
            index += 1
        }
        var isFirst = true
        while let scalar = peek() {
            if scalar == 0x5D, !isFirst {
                index += 1
                return set
            }
            isFirst = false
            if scalar == 0x5B, peek(1) == 0x3A, let end = endOfNamedClass() {
                guard appendNamedClass(end, to: &set) else { return nil }
                continue
            }
            if scalar == 0x5C, let next = peek(1), let perl = perlClass(next) {
                index += 2
                if perl.isNegated {
                    set.insertComplement(of: ScalarSet(ranges: perl.ranges))
                } else {
                    set.ranges += perl.ranges
                }
                continue
            }
            guard let low = bracketScalar() else { return nil }
            var high = low
            if peek() == 0x2D, let next = peek(1), next != 0x5D {
                index += 1
                guard let end = bracketScalar(), end >= low else { return nil }
                high = end
            }
            set.ranges.append(low...high)
        }
        return nil
    }

    private mutating func bracketScalar() -> UInt32? {
        guard let scalar = take() else { return nil }
        return scalar == 0x5C ? escapedScalar() : scalar
    }

    /// The offset of the `:]` that ends `[:NAME`.
    private func endOfNamedClass() -> Int? {
        var position = index + 2
        while position + 1 < text.count {
            if text[position] == 0x3A, text[position + 1] == 0x5D { return position }
            position += 1
        }
        return nil
    }

    private mutating func appendNamedClass(_ end: Int, to set: inout ScalarSet) -> Bool {
        var name = text[(index + 2)..<end]
        let isNegated = name.first == 0x5E
        if isNegated { name = name.dropFirst() }
        let key = String(String.UnicodeScalarView(name.compactMap { Unicode.Scalar($0) }))
        guard let ranges = Self.namedClasses[key] else { return false }
        if isNegated {
            set.insertComplement(of: ScalarSet(ranges: ranges))
        } else {
            set.ranges += ranges
        }
        index = end + 2
        return true
    }

    private static let namedClasses: [String: [ClosedRange<UInt32>]] = [
        "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A], "ascii": [0...0x7F],
        "blank": [0x09...0x09, 0x20...0x20], "cntrl": [0...0x1F, 0x7F...0x7F], "digit": [0x30...0x39],
        "graph": [0x21...0x7E], "lower": [0x61...0x7A], "print": [0x20...0x7E],
        "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E], "space": [0x09...0x0D, 0x20...0x20],
        "upper": [0x41...0x5A], "word": [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A],
        "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]

    // MARK: Escapes

    private func perlClass(_ scalar: UInt32) -> ScalarSet? {
        switch Self.character(scalar) {
        case "d": ScalarSet(ranges: [0x30...0x39])
        case "D": ScalarSet(ranges: [0x30...0x39], isNegated: true)
        case "s": ScalarSet(ranges: [0x09...0x0A, 0x0C...0x0D, 0x20...0x20])
        case "S": ScalarSet(ranges: [0x09...0x0A, 0x0C...0x0D, 0x20...0x20], isNegated: true)
        case "w": ScalarSet(ranges: Self.namedClasses["word"] ?? [])
        case "W": ScalarSet(ranges: Self.namedClasses["word"] ?? [], isNegated: true)
        default: nil
        }
    }

    /// Reads what stands after a backslash as one scalar.
    private mutating func escapedScalar() -> UInt32? {
        guard let scalar = take(), scalar < 0x80 else { return nil }
        switch Self.character(scalar) {
        case "a": return 0x07
        case "f": return 0x0C
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "v": return 0x0B
        case "x": return hexScalar()
        case "0"..."7":
            // One digit from 1 to 7 alone would be a back reference.
            if scalar != 0x30 { guard let next = peek(), (0x30...0x37).contains(next) else { return nil } }
            var value = scalar - 0x30
            for _ in 0..<2 {
                guard let digit = peek(), (0x30...0x37).contains(digit) else { break }
                value = value * 8 + digit - 0x30
                index += 1
            }
            return value
        case "0"..."9", "a"..."z", "A"..."Z": return nil
        default: return scalar
        }
    }

    /// `xFF` or `x{10FFFF}` after the `x`.
    private mutating func hexScalar() -> UInt32? {
        let isBraced = peek() == 0x7B
        if isBraced { index += 1 }
        var value: UInt32 = 0
        var digits = 0
        while digits < (isBraced ? 9 : 2), let scalar = peek(), scalar != 0x7D,
            let digit = Self.character(scalar).hexDigitValue
        {
            value = value << 4 | UInt32(digit)
            guard value <= 0x10FFFF else { return nil }
            index += 1
            digits += 1
        }
        guard isBraced else { return digits == 2 ? value : nil }
        guard digits > 0, take() == 0x7D else { return nil }
        return value
    }

    private func peek(_ offset: Int = 0) -> UInt32? { index + offset < text.count ? text[index + offset] : nil }

    private mutating func take() -> UInt32? {
        guard let scalar = peek() else { return nil }
        index += 1
        return scalar
    }

    private static func character(_ scalar: UInt32) -> Character {
        Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")
    }
}
