import Testing
import WhittleCore
import WhittleSnapshot

@testable import WhittleMaintenance

/// Plans for made-up stores: `a`, `b`, … are snapshots of 10 bytes each, used at the second that the table says.
@Suite("A collection plan")
struct CollectionPlanTests {
    static func id(_ name: String) -> ObjectID {
        guard let id = SnapshotID(rawValue: name) else { preconditionFailure("no such name: \(name)") }
        return .snapshot(id)
    }

    static func blob(_ name: String) -> ObjectID { .blob(Digest(hashing: name)) }

    static func object(
        _ name: String, used: Int64, needs: [String] = [], companions: [String] = [], isForgotten: Bool = false
    ) -> StoreObject {
        StoreObject(
            id: id(name), type: .regular, size: 10, lastUsed: Timestamp(seconds: used), needs: needs.map { id($0) },
            companions: companions.map { blob($0) }, isForgotten: isForgotten)
    }

    static func layer(_ name: String, used: Int64) -> StoreObject {
        StoreObject(id: blob(name), type: .layer, size: 5, lastUsed: Timestamp(seconds: used))
    }

    /// A chain a ← b ← c, used in another order, and d beside it.
    static let chain = [
        object("a", used: 1), object("b", used: 40, needs: ["a"]), object("c", used: 20, needs: ["b"]),
        object("d", used: 30),
    ]

    static func names(_ inventory: Inventory, _ policy: CollectionPolicy) -> [String] {
        CollectionPlan(inventory, policy).victims.map(\.id.description)
    }

    @Test("takes what was used least recently first, and nothing before what stands on it")
    func order() {
        #expect(Self.names(Inventory(Self.chain), CollectionPolicy()) == ["c", "d", "b", "a"])
    }

    @Test(
        "stops at the limit",
        arguments: [(100, 0), (50, 0), (49, 1), (40, 1), (39, 2), (15, 4), (0, 4)] as [(Int64, Int)])
    func limit(limit: Int64, count: Int) {
        let inventory = Inventory(Self.chain, overhead: 10)
        #expect(Self.names(inventory, .ceiling(ByteCount(limit))).count == count)
    }

    @Test("leaves what is held, and what that stands on")
    func held() {
        #expect(Self.names(Inventory(Self.chain, held: [Self.id("b")]), CollectionPolicy()) == ["c", "d"])
        #expect(Self.names(Inventory(Self.chain, held: [Self.id("c")]), CollectionPolicy()) == ["d"])
        #expect(Self.names(Inventory(Self.chain, held: [Self.id("c")]), .ceiling(0)) == ["d"])
    }

    @Test("leaves the parents of what a filter spares")
    func filter() throws {
        let now = Timestamp(seconds: 50)
        // Last used before second 35: c and d; b was used at 40, and a is needed by it.
        let until = CollectionPolicy(filters: [try ObjectFilter(parsing: "until=15s", now: now)])
        #expect(Self.names(Inventory(Self.chain), until) == ["c", "d"])
        let only = CollectionPolicy(filters: [try ObjectFilter(parsing: "id=a", now: now)])
        #expect(Self.names(Inventory(Self.chain), only) == [])
    }

    @Test("spares what named images were made from unless asked, and their blobs always")
    func named() {
        let objects =
            Self.chain + [Self.object("e", used: 2, needs: ["a"], companions: ["layer"]), Self.layer("layer", used: 3)]
        let inventory = Inventory(objects, named: [Self.blob("layer")])
        #expect(Self.names(inventory, CollectionPolicy()) == ["c", "d", "b"])
        #expect(Self.names(inventory, CollectionPolicy(includesShared: true)) == ["e", "c", "d", "b", "a"])
    }

    @Test("takes the layers of a snapshot along with it")
    func companions() {
        let objects = [
            Self.object("a", used: 1, companions: ["layer"]), Self.layer("layer", used: 90), Self.object("b", used: 2),
        ]
        #expect(
            Self.names(Inventory(objects), CollectionPolicy())
                == ["a", Self.blob("layer").description, "b"])
    }

    @Test("takes what no record leads to before anything else")
    func forgotten() {
        let objects = Self.chain + [Self.object("z", used: 99, needs: ["a"], isForgotten: true)]
        #expect(Self.names(Inventory(objects), .ceiling(45)) == ["z"])
    }

    @Test("survives a circle, which damage can make")
    func circle() {
        let objects = [Self.object("a", used: 1, needs: ["b"]), Self.object("b", used: 2, needs: ["a"])]
        #expect(Set(Self.names(Inventory(objects), CollectionPolicy())) == ["a", "b"])
    }
}

@Suite("A filter of objects")
struct ObjectFilterTests {
    static let object = StoreObject(
        id: CollectionPlanTests.id("step-1"), type: .regular, size: 1, lastUsed: Timestamp(seconds: 1000),
        description: "RUN make all", needs: [CollectionPlanTests.id("base")])
    static let facts = ObjectFacts(
        lastUsed: Timestamp(seconds: 1000), isInUse: false, isShared: true, isReclaimable: true)

    @Test(
        "accepts",
        arguments: [
            ("type=regular", true), ("type!=regular", false), ("type==regular", true), ("type=exec.cachemount", false),
            ("id=step-1", true), ("id=step", false), ("id~=^step", true), ("parents=base", true),
            ("description~=make (all|some)", true), ("description~=^make", false), ("inuse=false", true),
            ("shared=true", true), ("private=true", false), ("reclaimable=true", true), ("until=10m", true),
            ("until=1h", false), ("until=16m39s", true), ("until=16m40s", false), ("until=1970-01-01T00:16:41Z", true),
            ("until=1970-01-01T00:16:40Z", false), ("UNTIL=10m", true),
        ] as [(String, Bool)])
    func accepts(text: String, expected: Bool) throws {
        let filter = try ObjectFilter(parsing: text, now: Timestamp(seconds: 2000))
        #expect(filter.accepts(Self.object, Self.facts) == expected)
    }

    @Test(
        "refuses",
        arguments: [
            ("until", "reading the filter 'until': it has no value"),
            ("=5", "reading the filter '=5': it has no value"),
            ("untl=5m", "reading the filter 'untl=5m': there is no field 'untl'"),
            ("until=soon", "reading the filter 'until=soon': 'soon' is neither an age nor a moment"),
            ("until!=5m", "reading the filter 'until!=5m': 'until' takes '=' only"),
            ("type=layers", "reading the filter 'type=layers': there is no type 'layers'"),
            ("id~=(", "reading the filter 'id~=(': '(' is no regular expression"),
        ])
    func refuses(text: String, message: String) {
        #expect {
            try ObjectFilter(parsing: text, now: Timestamp(seconds: 0))
        } throws: {
            let error = $0 as? BuildError
            return error?.message == message && error?.code.rawValue == "invalid-filter"
        }
    }

    @Test(
        "ages",
        arguments: [("24h", 86_400), ("1h30m", 5400), ("90s", 90), ("7d", 604_800), ("1.5h", 5400), ("0s", 0)]
            as [(String, Int64)])
    func ages(text: String, seconds: Int64) { #expect(ObjectFilter.age(text) == seconds) }

    @Test("no ages", arguments: ["", "5", "h", "-5m", "5x", "1h30"])
    func noAges(text: String) { #expect(ObjectFilter.age(text) == nil) }
}
