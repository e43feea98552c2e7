import Testing
import WhittleCore
import WhittleExport
import WhittleOCI

@testable import WhittleCommands

@Suite("Tables of images and steps")
struct ImageListingTests {
    static let now = Timestamp(seconds: 1_700_000_000)

    private static func image(_ name: String, id: String, age: Int64, sizes: [ByteCount]) throws -> StoredImage {
        var configuration = ImageConfiguration(platform: Platform(os: "linux", architecture: "amd64"))
        configuration.created = Timestamp(seconds: now.seconds - age)
        configuration.diffIDs = sizes.indices.map { Digest(hashing: "\($0)") }
        configuration.history = [
            HistoryEntry(
                created: Timestamp(seconds: now.seconds - age), createdBy: "ADD rootfs.tar / # buildkit",
                comment: "buildkit.dockerfile.v0"),
            HistoryEntry(
                created: configuration.created,
                createdBy: "RUN /bin/sh -c apt-get update &&\tapt-get install\n -y curl \u{1B}[31mred # buildkit"),
            HistoryEntry(createdBy: "CMD [\"sh\"]", isEmptyLayer: true),
        ]
        return StoredImage(
            name: try ImageReference(parsing: name),
            target: Descriptor(of: Array("manifest \(id)".utf8), as: .ociManifest), id: Digest(hashing: id),
            configuration: configuration, layerSizes: sizes)
    }

    private static func images() throws -> [StoredImage] {
        [
            try image("whittle-demo:multi", id: "a", age: 120, sizes: [ByteCount(5_000_000), ByteCount(7_345_678)]),
            try image("localhost:5000/team/service", id: "b", age: 3 * 86_400, sizes: [ByteCount(980_000_000), 1200]),
        ]
    }

    @Test("images are listed as docker lists them")
    func images() throws {
        let listing = ImageListing(images: try Self.images(), now: Self.now)
        let (a, b) = (Digest(hashing: "a").short, Digest(hashing: "b").short)
        #expect(
            listing.table == """
                REPOSITORY                    TAG       IMAGE ID       CREATED         SIZE
                whittle-demo                  multi     \(a)   2 minutes ago   12.3MB
                localhost:5000/team/service   latest    \(b)   3 days ago      980MB

                """)
        #expect(listing.ids == "\(a)\n\(b)\n")
    }

    @Test("an empty list has headings")
    func empty() {
        #expect(
            ImageListing(images: [], now: Self.now).table
                == "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n")
    }

    @Test("--no-trunc and --digests show whole digests")
    func digests() throws {
        let image = try Self.images()[0]
        let listing = ImageListing(images: [image], now: Self.now, isShort: false, showsDigests: true)
        let lines = listing.table.split(separator: "\n")
        #expect(lines[0].split(separator: " ") == ["REPOSITORY", "TAG", "DIGEST", "IMAGE", "ID", "CREATED", "SIZE"])
        #expect(lines[1].contains(" \(image.target.digest) "))
        #expect(lines[1].contains(" \(image.id) "))
    }

    @Test("JSON has docker's keys, one object a line")
    func json() throws {
        let listing = ImageListing(images: try Self.images(), now: Self.now).listing
        let lines = try listing.text(.json).split(separator: "\n")
        #expect(lines.count == 2)
        let value = try JSONValue(parsing: Array(lines[0].utf8))
        #expect(value["Repository"] == "whittle-demo")
        #expect(value["Tag"] == "multi")
        #expect(value["CreatedAt"] == "2023-11-14 22:11:20 +0000 UTC")
        #expect(value["CreatedSince"] == "2 minutes ago")
        #expect(value["Size"] == "12.3MB")
    }

    @Test("history is listed as docker lists it, safe for a terminal")
    func history() throws {
        let image = try Self.images()[0]
        let id = image.id.short
        #expect(
            HistoryListing(steps: image.steps, now: Self.now).table == """
                IMAGE          CREATED         CREATED BY                                      SIZE      COMMENT
                \(id)   N/A             CMD ["sh"]                                      0B        
                <missing>      2 minutes ago   RUN /bin/sh -c apt-get update && apt-get ins…   7.35MB    
                <missing>      2 minutes ago   ADD rootfs.tar / # buildkit                     5MB       buildkit.dockerfile.v0

                """)
        let whole = HistoryListing(steps: image.steps, now: Self.now, isShort: false, isHuman: false).table
        #expect(whole.contains("RUN /bin/sh -c apt-get update && apt-get install  -y curl \\u{1b}[31mred # buildkit"))
        #expect(whole.contains(" 2023-11-14T22:11:20Z "))
        #expect(whole.contains(" 7345678 "))
        #expect(whole.contains(image.id.description))
        #expect(HistoryListing(steps: image.steps, now: Self.now).ids == "\(id)\n<missing>\n<missing>\n")
    }

    static let durations: [(Int64, String)] = [
        (-5, "Less than a second"), (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"),
        (60, "About a minute"), (119, "About a minute"), (120, "2 minutes"), (3599, "59 minutes"),
        (3600, "About an hour"), (5399, "About an hour"), (5400, "2 hours"), (47 * 3600 + 1799, "47 hours"),
        (48 * 3600, "2 days"), (14 * 86_400 - 1801, "13 days"), (14 * 86_400, "2 weeks"), (59 * 86_400, "8 weeks"),
        (60 * 86_400, "2 months"), (729 * 86_400, "24 months"), (730 * 86_400, "2 years"),
        (10 * 365 * 86_400, "10 years"),
    ]

    @Test("durations are in docker's words", arguments: durations)
    func duration(_ example: (seconds: Int64, text: String)) {
        #expect(RelativeTime.duration(seconds: example.seconds) == example.text)
    }

    @Test("times that stand for none are not counted from")
    func noTime() {
        #expect(RelativeTime.text(of: nil, now: Self.now) == "N/A")
        #expect(RelativeTime.text(of: Timestamp(seconds: 0), now: Self.now) == "N/A")
    }

    @Test("columns line up whatever the width of their characters")
    func widths() {
        var table = TextTable(["A", "B"])
        table.add(["日本語の画像", "x"])
        table.add(["e\u{301}", "y"])
        #expect(table.text == "A              B\n日本語の画像   x\ne\u{301}              y\n")
        #expect(DisplayText.fitted("日本語の画像", to: 6) == "日本…")
        #expect(DisplayText.fitted("abc", to: 3) == "abc")
        #expect(DisplayText.fitted("abcd", to: 3) == "ab…")
    }

    static let filters: [(String, Bool)] = [
        ("ghcr.io/a/app", true), ("ghcr.io/a/app:1", true), ("ghcr.io/a/app:2", false), ("app", false),
        ("ghcr.io/*/app", true), ("ghcr.io/*", false), ("*", false), ("ghcr.io/a/ap?:*", true),
        ("ghcr.io/a/[a-b]pp", true),
    ]

    @Test("names are filtered as docker filters references", arguments: filters)
    func filter(_ example: (pattern: String, accepts: Bool)) throws {
        let name = try ImageReference(parsing: "ghcr.io/a/app:1")
        #expect(ImageNameFilter(example.pattern).accepts(name) == example.accepts)
        #expect(ImageNameFilter("node").accepts(try ImageReference(parsing: "node:16")))
        #expect(ImageNameFilter("docker.io/library/node").accepts(try ImageReference(parsing: "node:16")))
    }
}
