import Testing
import WhittleOCI

@Suite("JSONValue.init(parsing:)")
struct JSONParserTests {
    @Test("keeps every kind of value, the order of members, and the text of numbers")
    func everything() throws {
        let text = #"{"b":[1,-2,1.50,1e3,true,false,null],"a":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","":{}}"#
        let value = try JSONValue(parsing: text)
        #expect(value.object?.keys == ["b", "a", ""])
        #expect(value["b"]?[0] == 1)
        #expect(value["b"]?[1]?.integer == -2)
        #expect(value["b"]?[2]?.double == 1.5)
        #expect(value["b"]?[3]?.double == 1000)
        #expect(value["b"]?[4]?.bool == true)
        #expect(value["b"]?[6]?.isNull == true)
        #expect(value["a"]?.string == "x\"\\/\u{8}\u{c}\n\r\té😀")
        #expect(value.text(as: .compact).hasPrefix(#"{"b":[1,-2,1.50,1e3,true,false,null],"a":"#))
    }

    @Test("reads integers to the ends of 64 bits and keeps longer ones as text")
    func integers() throws {
        #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
        #expect(try JSONValue(parsing: "-9223372036854775808") == .integer(.min))
        let long = try JSONValue(parsing: "9223372036854775808")
        #expect(long.integer == nil)
        #expect(long.text() == "9223372036854775808")
        #expect(try JSONValue(parsing: "-0").text() == "-0")
        #expect(try JSONValue(parsing: "1e999").double == .infinity)
        #expect(try JSONValue(parsing: "1e999").text() == "1e999")
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let text: String
        let because: JSONError.Reason
        let at: Int
        var testDescription: String { text.debugDescription }
        init(_ text: String, _ because: JSONError.Reason, at offset: Int) {
            (self.text, self.because, at) = (text, because, offset)
        }
    }

    static let rejected: [Rejected] = [
        Rejected("", .unexpectedEnd, at: 0),
        Rejected("  ", .unexpectedEnd, at: 2),
        Rejected("{", .unexpectedEnd, at: 1),
        Rejected("[1,", .unexpectedEnd, at: 3),
        Rejected("[1,]", .unexpectedByte(0x5D, expected: "a value"), at: 3),
        Rejected("[1 2]", .unexpectedByte(0x32, expected: "',' or ']' after an element"), at: 3),
        Rejected(#"{"a":1,}"#, .unexpectedByte(0x7D, expected: "a member name in double quotes"), at: 7),
        Rejected(#"{"a" 1}"#, .unexpectedByte(0x31, expected: "':' after a member name"), at: 5),
        Rejected(#"{"a":1;"#, .unexpectedByte(0x3B, expected: "',' or '}' after a member"), at: 6),
        Rejected(#"{"a":1,"b":2,"a":3}"#, .duplicateKey("a"), at: 13),
        Rejected("1 1", .trailingBytes, at: 2),
        Rejected("tru", .unexpectedEnd, at: 3),
        Rejected("trux", .unexpectedByte(0x78, expected: "'true'"), at: 3),
        Rejected("01", .malformedNumber, at: 0),
        Rejected("-", .unexpectedEnd, at: 1),
        Rejected("-x", .malformedNumber, at: 1),
        Rejected("1.", .malformedNumber, at: 2),
        Rejected("1e+", .malformedNumber, at: 3),
        Rejected(".5", .unexpectedByte(0x2E, expected: "a value"), at: 0),
        Rejected("NaN", .unexpectedByte(0x4E, expected: "a value"), at: 0),
        Rejected("\"a", .unexpectedEnd, at: 2),
        Rejected("\"a\nb\"", .controlCharacter(10), at: 2),
        Rejected(#""\x""#, .invalidEscape, at: 1),
        Rejected(#""\u12g4""#, .invalidEscape, at: 1),
        Rejected(#""\u12"#, .unexpectedEnd, at: 5),
        Rejected(#""\ud800""#, .loneSurrogate, at: 1),
        Rejected(#""\ud800\u0041""#, .loneSurrogate, at: 1),
        Rejected(#""\udc00\ud800""#, .loneSurrogate, at: 1),
        Rejected("'a'", .unexpectedByte(0x27, expected: "a value"), at: 0),
    ]

    @Test("names the rule that was broken, and the byte", arguments: rejected)
    func rejects(_ example: Rejected) {
        #expect(throws: JSONError(reason: example.because, offset: example.at)) {
            try JSONValue(parsing: example.text)
        }
    }

    @Test("refuses bytes that are no UTF-8")
    func invalidUTF8() {
        #expect(throws: JSONError(reason: .invalidUTF8, offset: 1)) {
            try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22] as [UInt8])
        }
        #expect(throws: JSONError(reason: .invalidUTF8, offset: 1)) {
            try JSONValue(parsing: [0x22, 0xC0, 0x80, 0x5C, 0x6E, 0x22] as [UInt8])
        }
    }

    @Test("skips a byte order mark")
    func byteOrderMark() throws {
        #expect(try JSONValue(parsing: [0xEF, 0xBB, 0xBF, 0x31] as [UInt8]) == 1)
    }

    @Test("stops at the depth limit instead of overflowing the stack")
    func depth() throws {
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: JSONError(reason: .tooDeep(limit: 256), offset: 256)) { try JSONValue(parsing: deep) }
        let allowed = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        #expect(throws: Never.self) { try JSONValue(parsing: allowed) }
    }

    @Test("reads an object of 50,000 members in linear time and finds each of them", .timeLimit(.minutes(1)))
    func large() throws {
        let members = (0..<50_000).map { #""key\#($0)":\#($0)"# }.joined(separator: ",")
        let value = try JSONValue(parsing: "{\(members)}")
        #expect(value.object?.count == 50_000)
        #expect(value["key49999"] == 49_999)
        #expect(value["nokey"] == nil)
    }

    @Test("keeps keys apart that Swift's string comparison calls equal")
    func canonicalEquivalence() throws {
        let value = try JSONValue(parsing: "{\"\u{e9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{e9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }

    @Test("never traps on a prefix or a mutation of a document", .timeLimit(.minutes(1)))
    func mutations() {
        let seed = Array(#"{"a":[1,2.5e-3,"x\u00e9\ud83d\ude00"],"b":{"c":null,"d":true}}"#.utf8)
        for end in seed.indices { _ = try? JSONValue(parsing: seed[..<end]) }
        for index in seed.indices {
            for byte in UInt8.min...UInt8.max {
                var mutated = seed
                mutated[index] = byte
                // Either outcome is right; what parses must survive a round trip.
                if let value = try? JSONValue(parsing: mutated) {
                    #expect((try? JSONValue(parsing: value.encoded())) == value)
                }
            }
        }
    }
}
