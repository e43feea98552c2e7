/// The grammar of `--chmod`: octal up to 7777, or symbolic as chmod(1) has it (`u=rwX,go=rX`, `+x`, `g=u-w`).
enum FileModeText {
    /// Why a text is no mode.
    enum Invalid: Error, Hashable {
        /// It looks like a number and is not an octal one between 0 and 7777.
        case notOctal
        case notSymbolic
    }

    static func check(_ text: String) throws(Invalid) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first else { throw .notSymbolic }
        if isDigit(first) {
            guard bytes.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "7") }),
                let mode = UInt32(text, radix: 8), mode <= 0o7777
            else { throw .notOctal }
            return
        }
        for clause in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard isClause(clause) else { throw .notSymbolic }
        }
    }

    /// `[ugoa]*` and then one or more of `[+-=]` with `[rwxXst]*` or copies of `u`, `g`, `o`.
    private static func isClause(_ clause: Substring.UTF8View) -> Bool {
        let actions = clause.drop { "ugoa".utf8.contains($0) }
        guard let first = actions.first, "+-=".utf8.contains(first) else { return false }
        return actions.allSatisfy { "+-=rwxXstugo".utf8.contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
