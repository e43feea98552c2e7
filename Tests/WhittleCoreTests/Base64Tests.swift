import Testing
import WhittleCore

@Suite("Base64")
struct Base64Tests {
    /// RFC 4648, section 10.
    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test("gives and takes the examples of the RFC", arguments: vectors)
    func examples(plain: String, encoded: String) {
        #expect(Base64.encode(plain.utf8) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test("brings back every byte, at every length modulo three", arguments: [254, 255, 256])
    func roundTrip(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }

    @Test(
        "refuses what is no Base64",
        arguments: ["Z", "Zm=9", "Zm9v!", "Zm9vY", "Zm-_", "Z===", "=Zg=", "Zg==Zg=="])
    func refused(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("forgives missing padding and line ends")
    func lenient() { #expect(Base64.decode("Zm\n9vYg") == Array("foob".utf8)) }
}
