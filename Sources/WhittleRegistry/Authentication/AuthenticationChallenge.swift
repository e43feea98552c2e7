/// One challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1).
package struct AuthenticationChallenge: Hashable, Sendable {
    /// Lower case: `bearer`, `basic`.
    package let scheme: String
    /// Names in lower case; of a name given twice the first value.
    package let parameters: [String: String]

    package init(scheme: String, parameters: [String: String] = [:]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// The challenges of all values of the header, in order. What cannot be read ends its value.
    package static func parse(_ values: [String]) -> [AuthenticationChallenge] {
        values.flatMap { value in
            var reader = Reader(value)
            return reader.challenges()
        }
    }

    private struct Reader {
        private var rest: Substring.UTF8View

        init(_ text: String) { rest = text.prefix(8192).utf8 }

        mutating func challenges() -> [AuthenticationChallenge] {
            var result: [AuthenticationChallenge] = []
            skip(" \t,")
            while let scheme = token() {
                skip(" \t")
                result.append(AuthenticationChallenge(scheme: scheme.lowercased(), parameters: parameters()))
                skip(" \t,")
            }
            return result
        }

        /// `NAME=VALUE` pairs up to the next scheme; a token68 is skipped.
        private mutating func parameters() -> [String: String] {
            var result: [String: String] = [:]
            while true {
                let before = rest
                guard let name = token() else { break }
                skip(" \t")
                guard take("=") else {
                    rest = before
                    break
                }
                skip(" \t")
                if rest.isEmpty || rest.first == UInt8(ascii: "=") || rest.first == UInt8(ascii: ",") {
                    // The padding of a token68.
                    skip("=")
                } else {
                    guard let value = quoted() ?? token() else { break }
                    if result[name.lowercased()] == nil { result[name.lowercased()] = value }
                }
                skip(" \t")
                guard take(",") else { break }
                skip(" \t,")
            }
            return result
        }

        private mutating func token() -> String? {
            let isToken: (UInt8) -> Bool = { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "!#$%&'*+-.^_`|~/:".utf8.contains(byte)
            }
            let text = rest.prefix(while: isToken)
            rest = rest[text.endIndex...]
            return text.isEmpty ? nil : String(Substring(text))
        }

        private mutating func quoted() -> String? {
            guard take("\"") else { return nil }
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
                case UInt8(ascii: "\\"): if let next = rest.popFirst() { bytes.append(next) }
                default: bytes.append(byte)
                }
            }
            return nil
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard let first = rest.first, UInt32(first) == character.value else { return false }
            rest = rest.dropFirst()
            return true
        }

        private mutating func skip(_ characters: String) {
            rest = rest.drop { characters.utf8.contains($0) }
        }
    }
}
