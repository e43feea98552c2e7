internal import WhittleCore

/// A line break was lost, so that a keyword stands at the end of a word: `AS builderWORKDIR /app`.
struct GluedInstruction {
    let message: String
    let hint: String
    /// The keyword inside the word.
    let place: SourceRange

    /// Looks for the fault in the arguments of a FROM that has too many of them. A keyword in capitals counts where
    /// it ends a word that does not end the line.
    init?(in instruction: RawInstruction) {
        for token in instruction.arguments.dropLast() {
            guard let keyword = Self.keyword(endingIn: token.text) else { continue }
            let name = String(token.text.dropLast(keyword.count))
            let start = SourcePosition(
                line: token.range.start.line, column: token.range.start.column + name.utf8.count)
            self.place = SourceRange(start, token.range.end)
            let isStageName = token == instruction.arguments.dropFirst(2).first
            let what = isStageName ? "the stage name" : "the word"
            self.message = "the instruction keyword \(keyword) seems to be glued onto \(what) '\(Excerpt.of(name))'"
            self.hint = "break the line in front of \(keyword), at column \(start.column)"
            return
        }
        return nil
    }

    private static func keyword(endingIn text: String) -> String? {
        Instruction.Keyword.allCases.map(\.rawValue)
            .filter { keyword in
                guard text.hasSuffix(keyword), text.utf8.count > keyword.utf8.count else { return false }
                // In `MY_ENV` or `BIGRUN` the capitals go on to the left.
                let before = text.dropLast(keyword.count).utf8.last ?? 0
                return !(0x41...0x5A).contains(before) && before != UInt8(ascii: "_")
            }
            .max { $0.count < $1.count }
    }
}

/// A link of a web page or of Markdown was copied along: `--[platform](/page)=$BUILDPLATFORM`.
struct MarkupInText {
    let message: String
    let hint: String

    /// The fault in a flag, `nil` where there is none.
    init?(_ flag: Flag) { self.init(flag.text) }

    /// The fault in a word, `nil` where there is none.
    init?(_ word: String) {
        guard let plain = Self.withoutLinks(word) else { return nil }
        self.message = "there is markup of a web page inside the text '\(Excerpt.of(word))'"
        self.hint = "write '\(Excerpt.of(plain))'"
    }

    /// `text` with each `[LABEL](TARGET)` replaced by its label; `nil` where there is none.
    private static func withoutLinks(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        var found = false
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "["),
                let label = bytes[index...].firstIndex(of: UInt8(ascii: "]")), label + 1 < bytes.count,
                bytes[label + 1] == UInt8(ascii: "("),
                let target = bytes[label...].firstIndex(of: UInt8(ascii: ")"))
            {
                result += bytes[index + 1..<label]
                index = target + 1
                found = true
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return found ? UTF8Text.string(result, 0..<result.count) : nil
    }
}
