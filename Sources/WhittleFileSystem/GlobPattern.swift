/// A shell pattern for one path component, with the rules of Go's `filepath.Match`: `*` and `?` match anything but a
/// slash, `[a-z]` and `[^a-z]` one character, and `\` takes the next character as it is.
struct GlobPattern: Sendable {
    /// The pattern's syntax is wrong: an open `[`, an empty range or a `\` at the end.
    struct Malformed: Error, Equatable {}

    private enum Element {
        case literal(Unicode.Scalar)
        case anyOne
        case anyMany
        case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    private let elements: [Element]

    init(_ text: String) throws(Malformed) {
        var elements: [Element] = []
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": elements.append(.anyMany)
            case "?": elements.append(.anyOne)
            case "[": elements.append(try Self.characterClass(&rest))
            case "\\":
                guard let next = rest.popFirst() else { throw Malformed() }
                elements.append(.literal(next))
            default: elements.append(.literal(scalar))
            }
        }
        self.elements = elements
    }

    /// Whether `text` has a character that makes it a pattern; one after a `\` does not.
    static func isPattern(_ text: some StringProtocol) -> Bool {
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5c {
                isEscaped = true
            } else if byte == 0x2a || byte == 0x3f || byte == 0x5b {
                return true
            }
        }
        return false
    }

    /// `text` without its escapes: `\*` becomes `*`.
    static func unescaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() { result.append(scalar == "\\" ? rest.popFirst() ?? scalar : scalar) }
        return String(result)
    }

    /// Whether the whole of `name` matches.
    ///
    /// - Complexity: O(length of the pattern × length of the name): only the last `*` is ever tried again.
    func matches(_ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var element = 0
        var position = 0
        var retry: (element: Int, position: Int)?
        while position < name.count {
            if element < elements.count, case .anyMany = elements[element] {
                element += 1
                retry = (element, position)
            } else if element < elements.count, matches(elements[element], name[position]) {
                element += 1
                position += 1
            } else if let last = retry, name[last.position] != "/" {
                retry = (last.element, last.position + 1)
                element = last.element
                position = last.position + 1
            } else {
                return false
            }
        }
        return elements[element...].allSatisfy { if case .anyMany = $0 { true } else { false } }
    }

    private func matches(_ element: Element, _ scalar: Unicode.Scalar) -> Bool {
        switch element {
        case .literal(let wanted): scalar == wanted
        case .anyOne: scalar != "/"
        case .anyMany: false
        case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }

    private static func characterClass(_ rest: inout Substring.UnicodeScalarView) throws(Malformed) -> Element {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        let isNegated = rest.first == "^"
        if isNegated { rest.removeFirst() }
        while true {
            // A `]` right at the start is a member in a shell, but an error in Go.
            if rest.first == "]", !ranges.isEmpty {
                rest.removeFirst()
                return .oneOf(ranges, isNegated: isNegated)
            }
            let low = try member(&rest)
            var high = low
            if rest.first == "-" {
                rest.removeFirst()
                high = try member(&rest)
            }
            // Go accepts a range that runs backwards; it holds nothing. So that the class is not empty, an impossible
            // scalar stands for it: U+0000 is in no file name.
            ranges.append(low <= high ? low...high : "\0"..."\0")
        }
    }

    private static func member(_ rest: inout Substring.UnicodeScalarView) throws(Malformed) -> Unicode.Scalar {
        guard let scalar = rest.popFirst(), scalar != "-", scalar != "]" else { throw Malformed() }
        guard scalar == "\\" else { return scalar }
        guard let escaped = rest.popFirst() else { throw Malformed() }
        return escaped
    }
}
