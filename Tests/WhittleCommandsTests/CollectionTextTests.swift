import Testing
import WhittleCore
import WhittleMaintenance
import WhittleSnapshot

@testable import WhittleCommands

@Suite("What is said about the store")
struct CollectionTextTests {
    private static func snapshot(_ name: String, used: Int64, needs: [ObjectID] = []) -> StoreObject {
        guard let id = SnapshotID(rawValue: name) else { preconditionFailure("no such name: \(name)") }
        return StoreObject(
            id: .snapshot(id), type: .regular, size: 12_000_000, created: Timestamp(seconds: 1_700_000_000),
            lastUsed: Timestamp(seconds: used), description: "RUN make", needs: needs)
    }

    private static let blob = StoreObject(
        id: .blob(Digest(hashing: "")), type: .layer, size: 3_000_000, lastUsed: Timestamp(seconds: 1_700_000_000),
        description: "layer of step-1")

    private static var inventory: Inventory {
        let first = snapshot("step-1", used: 1_700_003_600)
        return Inventory(
            [first, snapshot("step-2", used: 1_700_007_200, needs: [first.id]), blob], named: [blob.id],
            overhead: 1_000_000)
    }

    private static var listing: UsageListing {
        UsageListing(inventory, filters: [], now: Timestamp(seconds: 1_700_007_260))
    }

    @Test("du prints buildx's table, most recently used first")
    func table() {
        #expect(
            Self.listing.table == """
                ID             RECLAIMABLE   SIZE      LAST ACCESSED
                step-1         true          12MB      About a minute ago
                step-2         true          12MB      About a minute ago
                e3b0c44298fc   false         3MB       2 hours ago
                Shared:        3MB
                Private:       24MB
                Reclaimable:   24MB
                Total:         28MB

                """)
    }

    @Test("du --verbose prints all that is known")
    func verbose() {
        #expect(
            Self.listing.verbose.hasPrefix(
                """
                ID:            step-1
                Created at:    2023-11-14 22:13:20 +0000 UTC
                Mutable:       false
                Reclaimable:   true
                Shared:        false
                In use:        false
                Size:          12MB
                Description:   RUN make
                Last used:     About a minute ago
                Type:          regular

                ID:            step-2
                Parents:       step-1

                """))
    }

    @Test("du --format json prints buildx's keys")
    func json() {
        #expect(
            Self.listing.json.split(separator: "\n").last == """
                {"Description":"layer of step-1","ID":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",\
                "InUse":false,"LastUsedAt":"2023-11-14T22:13:20Z","Mutable":false,"Reclaimable":false,"Shared":true,\
                "Size":3000000,"Type":"layer"}
                """)
    }

    @Test("fsck says what it found and what became of it")
    func check() {
        var report = CheckReport()
        #expect(
            FsckCommand.text(of: report, repairs: false, isQuiet: false)
                == "checked 0 blobs (0B), 0 snapshots, 0 images and the database: nothing wrong\n")
        report.problems = [CheckReport.Problem(subject: "snapshot a", finding: "its files are missing")]
        #expect(
            FsckCommand.text(of: report, repairs: false, isQuiet: false) == """
                snapshot a: its files are missing
                checked 0 blobs (0B), 0 snapshots, 0 images and the database: 1 problem
                'whittle fsck --repair' drops what is damaged

                """)
        report.problems[0].outcome = .removed
        #expect(
            FsckCommand.text(of: report, repairs: true, isQuiet: true)
                == "snapshot a: its files are missing: dropped\n")
    }

    @Test("prune asks in docker's words")
    func question() {
        #expect(
            CollectionText.warning(includesShared: false, filters: ["until=24h"], limit: nil) == """
                WARNING! This will remove all build cache that no named image needs.

                  Items to be removed will be filtered with:
                  - until=24h

                Are you sure you want to continue? [y/N]\u{20}
                """)
    }
}
