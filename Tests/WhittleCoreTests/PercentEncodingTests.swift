import Testing
import WhittleCore

@Suite("Percent-encoding")
struct PercentEncodingTests {
    @Test(
        "decodes escapes in both cases, and keeps everything else",
        arguments: [("", ""), ("a+b", "a+b"), ("%41%2f%2F", "A//"), ("%C3%a9", "é"), ("100%25", "100%")])
    func decodes(text: String, expected: String) { #expect(PercentEncoding.decodedText(text) == expected) }

    @Test("refuses broken escapes", arguments: ["%", "%4", "a%4", "%+1", "%-1", "%zz", "% 1"])
    func refuses(text: String) { #expect(PercentEncoding.decoded(text) == nil) }

    @Test("takes a plus for a blank where a form made the text, and has no text for what is not UTF-8")
    func forms() {
        #expect(PercentEncoding.decodedText("a+b%2B", plusIsSpace: true) == "a b+")
        #expect(PercentEncoding.decoded("%ff") == [0xFF])
        #expect(PercentEncoding.decodedText("%ff") == nil)
    }
}
