import Foundation
import Testing
import WhittleCore

@testable import WhittleSecrets

/// What makes a text out of a secret, by means that are not whittle's.
enum Encodings {
    static func base64(_ bytes: [UInt8], after prefix: Int = 0, before suffix: Int = 0) -> String {
        let padded = [UInt8](repeating: 0xA5, count: prefix) + bytes + [UInt8](repeating: 0x5A, count: suffix)
        return Data(padded).base64EncodedString()
    }

    static func url(_ text: String) -> String {
        text.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
    }

    static func folded(_ text: String, _ width: Int, _ lineEnd: String = "\n") -> String {
        stride(from: 0, to: text.count, by: width).map { start in
            String(text.dropFirst(start).prefix(width)) + lineEnd
        }.joined()
    }

    static func hexadecimal(_ bytes: [UInt8], _ format: String = "%02x") -> String {
        bytes.map { String(format: format, $0) }.joined()
    }
}

@Suite("Forms of a secret")
struct SecretFormsTests {
    static let secret = "p@ss/w+rd: ~\u{FC}?\u{3FF}>>k3y"
    static var bytes: [UInt8] { Array(secret.utf8) }

    struct Example: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        let form: SecretForm

        init(_ description: String, _ text: String, _ form: SecretForm) {
            testDescription = description
            self.text = text
            self.form = form
        }
    }

    static var examples: [Example] {
        var examples = [
            Example("plain", "password=\(secret)\n", .plain),
            Example("plain with its line end", secret + "\n", .plain),
            Example(
                "encodeURIComponent", secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "",
                .urlEncoded),
            Example("path", "p%40ss/w%2Brd%3A%20~%C3%BC%3F%CF%BF%3E%3Ek3y", .urlEncoded),
            Example("lower case", "p%40ss%2fw%2brd%3a%20~%c3%bc%3f%cf%bf%3e%3ek3y", .urlEncoded),
            Example("form", "p%40ss%2Fw%2Brd%3A+%7E%C3%BC%3F%CF%BF%3E%3Ek3y", .urlEncoded),
            Example("every byte", bytes.map { String(format: "%%%02X", $0) }.joined(), .urlEncoded),
            Example("every byte, lower case", bytes.map { String(format: "%%%02x", $0) }.joined(), .urlEncoded),
            Example("hexadecimal", Encodings.hexadecimal(bytes), .hexadecimal),
            Example("upper case", Encodings.hexadecimal(bytes, "%02X"), .hexadecimal),
            Example("xxd -p", Encodings.folded(Encodings.hexadecimal(bytes), 10), .hexadecimal),
        ]
        for prefix in 0..<4 {
            for suffix in 0..<4 {
                let text = Encodings.base64(bytes, after: prefix, before: suffix)
                let name = "\(prefix) bytes before, \(suffix) after"
                examples += [
                    Example(name, text, .base64), Example("\(name), URL alphabet", Encodings.url(text), .base64),
                    Example("\(name), unpadded", text.replacingOccurrences(of: "=", with: ""), .base64),
                    Example("\(name), lines of 7", Encodings.folded(text, 7), .base64),
                    Example("\(name), MIME", Encodings.folded(text, 11, "\r\n"), .base64),
                ]
            }
        }
        return examples
    }

    @Test("are found", arguments: examples)
    func found(_ example: Example) throws {
        let patterns = SecretPatterns([NamedSecret(id: "key", value: Redacted(Self.bytes))])
        let found = try #require(patterns.leak(in: example.text.utf8))
        #expect(found.secret == "key")
        #expect(found.form == example.form)
        #expect(patterns.leak(in: ("before\n" + example.text + "\nafter").utf8)?.form == example.form)
    }

    @Test("in base64 the characters that depend on neighbours do not count", arguments: 0..<3)
    func alignment(_ alignment: Int) {
        let table = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for count in 6..<24 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 7) }
            let text = String(decoding: SecretForms.base64(bytes, alignment, table), as: UTF8.self)
            // At most one character on each side is shared with what is beside.
            #expect(text.count >= (count * 8 - 10) / 6)
            for neighbour in [0x00, 0xFF] as [UInt8] {
                let padded = [UInt8](repeating: neighbour, count: alignment) + bytes + [neighbour, neighbour]
                #expect(Data(padded).base64EncodedString().contains(text))
            }
        }
    }

    static let others = [
        "", "p@ss/w+rd", "p@ss/w+rd: ~\u{FC}?\u{3FF}>>k3Y", Encodings.base64(Array("another password".utf8)),
        Encodings.hexadecimal(Array("another password".utf8)), String(secret.reversed()),
    ]

    @Test("are not seen in other texts", arguments: others)
    func notFound(_ text: String) {
        #expect(SecretPatterns([NamedSecret(id: "key", value: Redacted(Self.bytes))]).leak(in: text.utf8) == nil)
    }

    @Test("a secret is taken without its line end and the blanks around it")
    func trimmed() {
        let patterns = SecretPatterns([NamedSecret(id: "key", value: Redacted(Array(" hunter22 \r\n".utf8)))])
        #expect(patterns.leak(in: "x=hunter22;".utf8)?.form == .plain)
        // As `base64 < key.txt` gives it.
        #expect(patterns.leak(in: Encodings.base64(Array(" hunter22 \r\n".utf8)).utf8)?.form == .base64)
    }

    @Test("a secret of several lines is found with other line ends, in one line of JSON, and in base64")
    func severalLines() {
        let value = "first line\nsecond \"line\"\nthird"
        let patterns = SecretPatterns([NamedSecret(id: "key", value: Redacted(Array("\(value)\n".utf8)))])
        #expect(patterns.leak(in: value.replacingOccurrences(of: "\n", with: "\r\n").utf8)?.form == .plain)
        #expect(patterns.leak(in: #"{"key": "first line\nsecond \"line\"\nthird"}"#.utf8)?.form == .escaped)
        #expect(patterns.leak(in: Encodings.folded(Encodings.base64(Array(value.utf8)), 8).utf8)?.form == .base64)
        #expect(patterns.leak(in: "first line\n".utf8) == nil)
    }

    @Test(
        "fewer than 6 bytes are not looked for",
        arguments: [("", false), ("ab\n", true), ("abcde\n", true), ("abcdef", false)])
    func short(_ value: String, _ isTooShort: Bool) {
        let secret = NamedSecret(id: "key", value: Redacted(Array(value.utf8)))
        #expect(secret.isTooShort == isTooShort)
        #expect(SecretPatterns([secret]).isEmpty == (value != "abcdef"))
    }

    @Test("the name of a path loses the secret it is made of")
    func redacted() {
        let patterns = SecretPatterns([NamedSecret(id: "key", value: Redacted(Array("hunter22".utf8)))])
        #expect(patterns.redacted("/app/hunter22.txt") == "/app/***.txt")
        #expect(patterns.redacted("/hunter22/hunter22") == "/***/***")
        #expect(patterns.redacted("/app/other") == "/app/other")
    }
}

@Suite("Parts of a secret that give it away")
struct KeyMaterialTests {
    static let token = "npm_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFC"
    static let line = "QyNTUxOQAAACDkLv3mGxP0pRZ2sT7uQ9wYb5nJ8cV4aF6hK1dXoE0iRgAAAJg7x"
    static let examples: [(String, [String])] = [
        ("//registry.npmjs.org/:_authToken=\(token)\n", [token]),
        ("user:0123456789abcdef0123456789abcdef@host", ["0123456789abcdef0123456789abcdef"]),
        ("id: 123e4567-e89b-12d3-a456-426614174000", ["123e4567-e89b-12d3-a456-426614174000"]),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
                + "\(line)\n-----END OPENSSH PRIVATE KEY-----\n", [line]
        ),
        (#"{"private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n\#(line)\n-----END"}"#, [line]),
        (
            #"{"type": "service_account", "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs"}"#,
            []
        ),
        ("correct horse battery staple", []), (token, []),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1A", []),
    ]

    @Test("are tokens, digests and lines of keys, not names and words", arguments: examples)
    func parts(_ text: String, _ parts: [String]) {
        let found = KeyMaterial.parts(of: Array(text.utf8)[...]).map { String(decoding: $0, as: UTF8.self) }
        #expect(found == parts)
    }

    @Test("are found by themselves")
    func found() {
        let secret = NamedSecret(id: "npmrc", value: Redacted(Array("//host/:_authToken=\(Self.token)\n".utf8)))
        let patterns = SecretPatterns([secret])
        #expect(patterns.leak(in: "token: \(Self.token)".utf8)?.form == .plain)
        #expect(patterns.leak(in: Encodings.base64(Array(Self.token.utf8), after: 1).utf8)?.form == .base64)
        #expect(patterns.leak(in: "//host/:_authToken=${TOKEN}".utf8) == nil)
    }

    @Test("of a bundle of keys the search is still bounded")
    func limit() {
        let text = (0..<2000).map { "k\($0): \(Encodings.hexadecimal(Array("key number \($0)".utf8)))A\n" }.joined()
        #expect(KeyMaterial.parts(of: Array(text.utf8)[...]).count == KeyMaterial.limit)
    }
}
