import Testing
import WhittleCore

@Suite("CommaSeparated")
struct CommaSeparatedTests {
    static let accepted: [(text: String, fields: [String])] = [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("a,", ["a", ""]),
        (",", ["", ""]),
        (" a , b ", [" a ", " b "]),
        ("type=oci,\"name=a,b\"", ["type=oci", "name=a,b"]),
        ("\"a\"", ["a"]),
        ("\"\"", [""]),
        ("\"a\"\"b\",c", ["a\"b", "c"]),
        ("\"\"\"\"", ["\""]),
        ("é,ü", ["é", "ü"]),
        ("a\nb", ["a\nb"]),
    ]

    @Test("splits as encoding/csv does", arguments: accepted)
    func splits(_ example: (text: String, fields: [String])) throws {
        #expect(try CommaSeparated.fields(example.text).map { $0.text } == example.fields)
    }

    @Test("says where each field is, quotes included")
    func ranges() throws {
        #expect(try CommaSeparated.fields("é,\"a,b\",").map { $0.range } == [0..<2, 3..<8, 9..<9])
    }

    static let rejected: [(text: String, because: CommaSeparated.Fault)] = [
        ("", .empty),
        ("a\"b", .bareQuote),
        ("x,name=\"a,b\"", .bareQuote),
        ("\"a\"b", .openQuote),
        ("\"a\" ,b", .openQuote),
        ("\"a", .openQuote),
        ("a,\"b\"\"", .openQuote),
    ]

    @Test("says which rule a text breaks", arguments: rejected)
    func rejects(_ example: (text: String, because: CommaSeparated.Fault)) {
        #expect(throws: example.because) { try CommaSeparated.fields(example.text) }
    }
}
