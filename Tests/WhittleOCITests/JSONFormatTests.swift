import Testing
import WhittleOCI

@Suite("JSONValue.encoded(as:)")
struct JSONFormatTests {
    let value: JSONValue = [
        "b": [1, "x/y", [], [:]], "a": ["z": true, "y": nil], "é": "\u{1}\u{1f}\"\\\n\t\r\u{8}\u{c}\u{2028}",
    ]

    @Test("canonical: one line, keys in byte order, no escaped slash")
    func canonical() {
        #expect(
            value.text()
                == #"{"a":{"y":null,"z":true},"b":[1,"x/y",[],{}],"é":"\u0001\u001f\"\\\n\t\r\b\f"#
                + "\u{2028}\"}")
    }

    @Test("compact: keys in their own order")
    func compact() {
        #expect(value.text(as: .compact).hasPrefix(#"{"b":[1,"x/y",[],{}],"a":{"z":true,"y":null},"#))
    }

    @Test("pretty: a line for each member, empty lists on one line")
    func pretty() {
        let value: JSONValue = ["b": [1, 2], "a": [], "c": ["d": "e"]]
        #expect(
            value.text(as: .pretty(indent: 3)) == """
                {
                   "b": [
                      1,
                      2
                   ],
                   "a": [],
                   "c": {
                      "d": "e"
                   }
                }
                """)
    }

    @Test("writes what can be read, and only finite doubles")
    func numbers() throws {
        for number in [0.1, -1e-7, 1e300, 5.0, Double(Int64.max)] {
            let json = JSONValue.number(try #require(JSONNumber(number)))
            #expect(try JSONValue(parsing: json.text()).double == number)
        }
        #expect(JSONNumber(.nan) == nil)
        #expect(JSONNumber(.infinity) == nil)
    }

    @Test("changing members keeps the others in their order")
    func changes() {
        var value: JSONValue = ["a": 1, "b": 2, "c": 3]
        value["b"] = nil
        value["a"] = 4
        value["d"] = 5
        #expect(value.text(as: .compact) == #"{"a":4,"c":3,"d":5}"#)
        var large = JSONObject()
        for number in 0..<40 { large["k\(number)"] = .integer(Int64(number)) }
        large["k3"] = nil
        #expect(large["k39"] == 39)
        #expect(large["k3"] == nil)
    }

    @Test("objects with the same members in another order are equal and hash alike")
    func equality() throws {
        let one = try JSONValue(parsing: #"{"a":1,"b":[2]}"#)
        let other = try JSONValue(parsing: #"{"b":[2],"a":1}"#)
        #expect(one == other)
        #expect(Set([one, other]).count == 1)
        #expect(one != ["a": 1])
    }
}
