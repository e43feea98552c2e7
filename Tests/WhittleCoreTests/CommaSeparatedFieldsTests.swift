import Testing
import WhittleCore

@Suite("CommaSeparatedFields")
struct CommaSeparatedFieldsTests {
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
        #expect(try CommaSeparatedFields.fields(of: example.text) == example.fields)
    }

    static let rejected: [(text: String, because: CommaSeparatedFields.Invalid)] = [
        ("", .empty),
        ("a\"b", .bareQuote(column: 2)),
        ("x,name=\"a,b\"", .bareQuote(column: 8)),
        ("\"a\"b", .textAfterQuote(column: 3)),
        ("\"a\" ,b", .textAfterQuote(column: 3)),
        ("\"a", .unclosedQuote(column: 1)),
        ("a,\"b\"\"", .unclosedQuote(column: 3)),
    ]

    @Test("says which rule a text breaks, and where", arguments: rejected)
    func rejects(_ example: (text: String, because: CommaSeparatedFields.Invalid)) {
        #expect(throws: example.because) { try CommaSeparatedFields.fields(of: example.text) }
    }
}
