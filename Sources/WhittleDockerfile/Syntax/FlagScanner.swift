internal import WhittleCore

/// Takes the `--flags` off the front of an instruction's arguments.
struct FlagScanner {
    private(set) var flags: [Flag] = []
    /// Where the arguments begin.
    private(set) var rest: Int

    private let line: LogicalLine
    private let escape: UInt8

    /// Reads the flags at the start of `range`; `--` alone ends them.
    init(_ line: LogicalLine, _ range: Range<Int>, escape: EscapeCharacter) {
        self.line = line
        self.escape = escape.rawValue
        self.rest = range.lowerBound
        scan(range.upperBound)
    }

    private mutating func scan(_ end: Int) {
        let bytes = line.bytes
        while true {
            while rest < end, Blank.isASCII(bytes[rest]) { rest += 1 }
            guard rest + 1 < end, bytes[rest] == UInt8(ascii: "-"), bytes[rest + 1] == UInt8(ascii: "-") else { return }
            let word = readWord(end)
            rest = word.next
            // Before the blank that ended it: a `--` closes the flags wherever it stands among them.
            if word.text == [UInt8(ascii: "-"), UInt8(ascii: "-")] { return }
            flags.append(flag(word))
        }
    }

    private struct Word {
        /// Without quotes and escapes.
        var text: [UInt8] = []
        var range: Range<Int>
        /// The offset in ``text`` and in the line of the first `=`.
        var equals: (inText: Int, inLine: Int)?
        /// After the word and the blank that ended it.
        var next: Int
    }

    /// Reads a word whose quotes and escapes are resolved.
    private func readWord(_ end: Int) -> Word {
        let bytes = line.bytes
        var word = Word(range: rest..<end, next: end)
        var quote: UInt8?
        var index = rest
        while index < end {
            var byte = bytes[index]
            if let open = quote {
                if byte == open {
                    quote = nil
                    index += 1
                    continue
                }
            } else if let width = Self.widthOfBlank(bytes, at: index, before: end) {
                word.range = rest..<index
                word.next = index + width
                return word
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
                index += 1
                continue
            }
            if byte == escape {
                // An escape at the very end is dropped.
                guard index + 1 < end else { break }
                index += 1
                byte = bytes[index]
            }
            if byte == UInt8(ascii: "="), word.equals == nil { word.equals = (word.text.count, index) }
            word.text.append(byte)
            index += 1
        }
        return word
    }

    /// The width of the white space at `index`. A no-break space and a next-line end a flag too: they come with text
    /// copied from web pages.
    private static func widthOfBlank(_ bytes: [UInt8], at index: Int, before end: Int) -> Int? {
        let byte = bytes[index]
        if Blank.isASCII(byte) { return 1 }
        guard byte == 0xC2, index + 1 < end else { return nil }
        return bytes[index + 1] == 0x85 || bytes[index + 1] == 0xA0 ? 2 : nil
    }

    private func flag(_ word: Word) -> Flag {
        let dashes = min(2, word.text.count)
        let nameStart = min(word.range.lowerBound + dashes, word.range.upperBound)
        guard let equals = word.equals else {
            let name = UTF8Text.string(word.text, dashes..<word.text.count)
            return Flag(name: line.token(name, at: nameStart..<word.range.upperBound), value: nil)
        }
        let name = UTF8Text.string(word.text, dashes..<max(dashes, equals.inText))
        let value = UTF8Text.string(word.text, equals.inText + 1..<word.text.count)
        return Flag(
            name: line.token(name, at: nameStart..<max(nameStart, equals.inLine)),
            value: line.token(value, at: equals.inLine + 1..<word.range.upperBound))
    }
}
