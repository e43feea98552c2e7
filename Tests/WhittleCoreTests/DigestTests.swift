import Testing
import WhittleCore

@Suite("Digest.init(parsing:)")
struct DigestParsingTests {
    struct Rejected: CustomTestStringConvertible, Sendable {
        let text: String
        let because: Digest.Invalid
        var testDescription: String { "'\(text.prefix(24))' (\(text.utf8.count) B)" }
    }
    static let rejected: [Rejected] = [
        Rejected(text: "", because: .noSeparator),
        Rejected(text: "md5:" + String(repeating: "a", count: 64), because: .unsupportedAlgorithm("md5")),
        Rejected(text: "sha256:" + String(repeating: "a", count: 63), because: .wrongLength(63)),
        Rejected(text: "sha256:" + String(repeating: "A", count: 64), because: .notLowercaseHex),
        // Multi-byte: 32 characters, 64 bytes. The length rule alone would let it pass.
        Rejected(text: "sha256:" + String(repeating: "é", count: 32), because: .notLowercaseHex),
    ]
    @Test("names the rule that was broken", arguments: rejected)
    func rejects(_ example: Rejected) {
        #expect(throws: example.because) { try Digest(parsing: example.text) }
    }

    @Test("gives back the text it read")
    func roundTrip() throws {
        // FIPS 180-2, appendix B.1: the digest of "abc".
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Digest(hashing: "abc").description == text)
        #expect(try Digest(parsing: text) == Digest(hashing: Array("abc".utf8)))
        #expect(try Digest(parsing: text).short == "ba7816bf8f01")
    }
}
