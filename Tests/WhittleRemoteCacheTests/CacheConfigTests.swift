import Testing
import WhittleCore
import WhittleOCI
import WhittleRemoteCache

@Suite("CacheConfig")
struct CacheConfigTests {
    static func digest(_ character: Character) -> Digest {
        guard let digest = try? Digest(parsing: "sha256:" + String(repeating: character, count: 64)) else {
            preconditionFailure("a test's own digest")
        }
        return digest
    }

    static let a = digest("a")
    static let b = digest("b")
    static let c = digest("c")

    static func text(_ digest: Digest) -> String { "\"\(digest)\"" }

    @Test("reads what Go leaves out")
    func omitted() throws {
        let config = try CacheConfig(
            parsing: Array(
                """
                {"layers":[{"blob":\(Self.text(Self.a)),"parent":-1},{"blob":\(Self.text(Self.b))}],
                 "records":[{"digest":\(Self.text(Self.c)),"layers":[{"layer":1,"createdAt":"2024-05-06T07:08:09Z"}]}]}
                """.utf8))
        #expect(config.layers.map(\.parent) == [nil, 0])
        #expect(config.positions(of: config.records[0].results[0].layers) == [0, 1])
        #expect(config.records[0].results[0].created == Timestamp(rfc3339: "2024-05-06T07:08:09Z"))
        #expect(config.records[0].results[0].details == nil)
    }

    @Test("writes what Go writes, members and absences included")
    func written() {
        let config = CacheConfig(
            layers: [CacheConfig.Layer(blob: Self.a, parent: nil), CacheConfig.Layer(blob: Self.b, parent: 0)],
            records: [
                CacheConfig.Record(digest: Self.a),
                CacheConfig.Record(
                    digest: Self.b, inputs: [[CacheConfig.Input(selector: "s", link: 0)]],
                    results: [CacheConfig.Result(layers: .chain(1), created: Timestamp(seconds: 1))]),
            ])
        #expect(
            String(decoding: config.encoded(), as: UTF8.self)
                == "{\"layers\":[{\"blob\":\(Self.text(Self.a)),\"parent\":-1},{\"blob\":\(Self.text(Self.b))}],"
                + "\"records\":[{\"digest\":\(Self.text(Self.a))},"
                + "{\"layers\":[{\"layer\":1,\"createdAt\":\"1970-01-01T00:00:01Z\"}],\"digest\":\(Self.text(Self.b)),"
                + "\"inputs\":[[{\"selector\":\"s\",\"link\":0}]]}]}")
    }

    /// Everything that a configuration can have, in an order that is not the sorted one.
    static let full = CacheConfig(
        layers: [
            CacheConfig.Layer(blob: c, parent: 1, created: Timestamp(seconds: 5), form: "gzip-2-1"),
            CacheConfig.Layer(blob: a, parent: nil), CacheConfig.Layer(blob: b, parent: nil),
        ],
        records: [
            CacheConfig.Record(
                digest: c, inputs: [[CacheConfig.Input(link: 1), CacheConfig.Input(selector: "x", link: 2)]],
                results: [
                    CacheConfig.Result(
                        layers: .chain(0), created: Timestamp(seconds: 7),
                        details: CacheConfig.Details(
                            latestInput: Timestamp(seconds: 3), duration: 12,
                            empty: [CacheConfig.EmptyLayer(position: 1, created: Timestamp(seconds: 4))])),
                    CacheConfig.Result(layers: .list([2, 0]), created: Timestamp(seconds: 8)),
                ]),
            CacheConfig.Record(digest: b), CacheConfig.Record(digest: a),
        ],
        mounts: ["go": CacheConfig.Mount(layers: [2], created: Timestamp(seconds: 9))])

    @Test("is the same after writing and reading, and its bytes are sorted")
    func roundTrip() throws {
        let bytes = Self.full.encoded()
        let read = try CacheConfig(parsing: bytes)
        #expect(read.encoded() == bytes)
        #expect(read.layers.map(\.blob) == [Self.a, Self.b, Self.c])
        #expect(read.records.map(\.digest) == [Self.a, Self.b, Self.c])
        #expect(read.layers[2].form == "gzip-2-1")
        #expect(read.layers[2].parent == 0)
        #expect(read.records[2].results[0].details == Self.full.records[0].results[0].details)
        #expect(read.records[2].results[1].layers == .list([1, 2]))
        #expect(read.records[2].inputs == [[CacheConfig.Input(selector: "x", link: 0), CacheConfig.Input(link: 1)]])
        #expect(read.mounts["go"]?.layers == [1])
    }

    @Test("equal caches in another order are equal bytes")
    func order() {
        var other = CacheConfig(mounts: ["go": CacheConfig.Mount(layers: [1], created: Timestamp(seconds: 9))])
        other.layers = [
            Self.full.layers[1], Self.full.layers[2],
            CacheConfig.Layer(blob: Self.c, parent: 0, created: Timestamp(seconds: 5), form: "gzip-2-1"),
        ]
        var record = Self.full.records[0]
        record.inputs = [[CacheConfig.Input(selector: "x", link: 0), CacheConfig.Input(link: 1)]]
        record.results[0].layers = .chain(2)
        record.results[1].layers = .list([1, 2])
        other.records = [CacheConfig.Record(digest: Self.a), CacheConfig.Record(digest: Self.b), record]
        #expect(other.encoded() == Self.full.encoded())
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let text: String
        let problem: String
        var testDescription: String { problem }
        init(_ problem: String, _ text: String) { (self.problem, self.text) = (problem, text) }
    }

    static let rejected: [Rejected] = [
        Rejected("not JSON", "{"),
        Rejected("expected an object", "[]"),
        Rejected("'layers': expected an array", #"{"layers":{}}"#),
        Rejected("'blob': expected a SHA-256 digest", #"{"layers":[{"parent":-1}]}"#),
        Rejected("'digest': expected a SHA-256 digest", #"{"records":[{"digest":"random:abc"}]}"#),
        Rejected("'parent' is 1, and there are 1", "{\"layers\":[{\"blob\":\(text(a)),\"parent\":1}]}"),
        Rejected("'parent' is -2, and there are 1", "{\"layers\":[{\"blob\":\(text(a)),\"parent\":-2}]}"),
        // No parent means the layer 0, which is this one.
        Rejected("its layers form a circle", "{\"layers\":[{\"blob\":\(text(a))}]}"),
        Rejected(
            "its layers form a circle",
            "{\"layers\":[{\"blob\":\(text(a)),\"parent\":1},{\"blob\":\(text(b)),\"parent\":0}]}"),
        Rejected("'link' is 1, and there are 1", "{\"records\":[{\"digest\":\(text(a)),\"inputs\":[[{\"link\":1}]]}]}"),
        Rejected("'link': expected an index", "{\"records\":[{\"digest\":\(text(a)),\"inputs\":[[{}]]}]}"),
        Rejected("its records form a circle", "{\"records\":[{\"digest\":\(text(a)),\"inputs\":[[{\"link\":0}]]}]}"),
        Rejected("an input without any record", "{\"records\":[{\"digest\":\(text(a)),\"inputs\":[[]]}]}"),
        Rejected("'layer' is 0, and there are 0", "{\"records\":[{\"digest\":\(text(a)),\"layers\":[{\"layer\":0}]}]}"),
        Rejected(
            "'layers' is 7, and there are 0", "{\"records\":[{\"digest\":\(text(a)),\"chains\":[{\"layers\":[7]}]}]}"),
        Rejected("'mounts' is 0, and there are 0", #"{"whittle":{"mounts":{"x":{"layers":[0],"created":1}}}}"#),
    ]

    @Test("says what is wrong with a document", arguments: rejected)
    func rejects(_ example: Rejected) {
        let error = #expect(throws: BuildError.self) { try CacheConfig(parsing: Array(example.text.utf8)) }
        #expect(error?.code == .malformedCache)
        #expect(error?.message.contains(example.problem) == true, "\(error?.message ?? "")")
    }

    @Test("reads a long chain, and refuses a long circle, in time", .timeLimit(.minutes(1)))
    func long() throws {
        let count = 20_000
        func text(_ first: Int) -> [UInt8] {
            var text = "{\"layers\":[{\"blob\":\(Self.text(Self.a)),\"parent\":\(first)}"
            for index in 1..<count { text += ",{\"blob\":\(Self.text(Self.a)),\"parent\":\(index - 1)}" }
            return Array((text + "]}").utf8)
        }
        #expect(try CacheConfig(parsing: text(-1)).layers.count == count)
        #expect(throws: BuildError.self) { try CacheConfig(parsing: text(count - 1)) }
    }
}
