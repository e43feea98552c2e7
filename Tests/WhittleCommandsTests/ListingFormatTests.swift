import Testing
import WhittleCore
import WhittleExport
import WhittleOCI

@testable import WhittleCommands

@Suite("--format of listings, and --filter")
struct ListingFormatTests {
    static let now = Timestamp(seconds: 1_700_000_000)

    static func image(_ name: String?, id: String, age: Int64, labels: [String: String] = [:]) throws -> StoredImage {
        var configuration = ImageConfiguration(platform: Platform(os: "linux", architecture: "amd64"))
        configuration.created = Timestamp(seconds: now.seconds - age)
        configuration.config.labels = labels
        return StoredImage(
            name: try name.map { try ImageReference(parsing: $0) },
            target: Descriptor(of: Array("manifest \(id)".utf8), as: .ociManifest), id: Digest(hashing: id),
            configuration: configuration, layerSizes: [ByteCount(5_000_000)])
    }

    static func images() throws -> [StoredImage] {
        [
            try image("app:1", id: "a", age: 60, labels: ["stage": "test", "team": "x"]),
            try image("ghcr.io/b/app:2", id: "b", age: 3600, labels: ["stage": "production"]),
            try image(nil, id: "c", age: 86_400 * 3),
        ]
    }

    static func text(_ format: String) throws -> String {
        try ImageListing(images: images(), now: now).listing.text(ListingFormat(parsing: format))
    }

    @Test("a template gives one line for each image")
    func lines() throws {
        #expect(try Self.text("{{.Repository}}:{{.Tag}}") == "app:1\nghcr.io/b/app:2\n<none>:<none>\n")
        let (a, b) = (Digest(hashing: "a").short, Digest(hashing: "b").short)
        #expect(
            try Self.text(#"{{if eq .Tag "<none>"}}-{{else}}{{.ID}}\t{{upper .Size}}{{end}}"#)
                == "\(a)\t5MB\n\(b)\t5MB\n-\n")
        #expect(try Self.text("{{json .Tag}}") == "\"1\"\n\"2\"\n\"<none>\"\n")
    }

    @Test("with 'table' there are headings and columns, and functions leave the headings alone")
    func tables() throws {
        #expect(
            try Self.text(#"table {{.Repository}}\t{{lower .Tag}}\t{{json .CreatedSince}}"#) == """
                REPOSITORY      TAG       CREATED
                app             1         "About a minute ago"
                ghcr.io/b/app   2         "About an hour ago"
                <none>          <none>    "3 days ago"

                """)
        #expect(try Self.text("table {{.ID}}").hasPrefix("IMAGE ID\n"))
        #expect(
            try Self.text(#"table {{index (split .Repository "/") 0}}\t{{.CreatedAt}}\t{{.Digest}}"#).hasPrefix(
                "REPOSITORY   CREATED AT"))
    }

    @Test("JSON has docker's keys in docker's order")
    func json() throws {
        let line = try Self.text("json").split(separator: "\n")[0]
        #expect(line.hasPrefix(#"{"Containers":"N/A","CreatedAt":"2023-11-14 22:12:20 +0000 UTC","CreatedSince":"#))
        #expect(try Self.text("{{json .}}") == Self.text("json"))
    }

    @Test("unknown fields and formats without any are errors")
    func refuses() throws {
        func error(_ format: String) -> BuildError? { #expect(throws: BuildError.self) { try Self.text(format) } }
        #expect(
            error(#"table {{.Tag}}\t{{.Repo}}"#)?.message
                == #"--format 'table {{.Tag}}\t{{.Repo}}', column 19: there is no field '.Repo'"#)
        #expect(error("{{.Tga}}")?.hint == "did you mean '.Tag'?")
        #expect(error("jsn")?.message == "--format 'jsn' has no field, so every line would be the same")
        #expect(error("jsn")?.hint == "did you mean 'json'?")
        #expect(error("ID")?.hint == "write 'table', 'json', or a template such as '{{.ID}}'")
    }

    @Test("fields are checked even where there is no image")
    func empty() throws {
        let listing = ImageListing(images: [], now: Self.now).listing
        #expect(try listing.text(ListingFormat(parsing: "table {{.ID}}")) == "IMAGE ID\n")
        #expect(try listing.text(ListingFormat(parsing: "{{.ID}}")) == "")
        #expect(throws: BuildError.self) { try listing.text(ListingFormat(parsing: "{{.Id}} {{.Repo}}")) }
    }

    /// Filters, and which of the images a, b and c they leave.
    static let filters: [([String], String)] = [
        ([], "abc"), (["label=stage"], "ab"), (["label=stage=test"], "a"), (["label=stage", "label=team"], "a"),
        (["label=none"], ""), (["dangling=true"], "c"), (["dangling=0"], "ab"), (["reference=app"], "a"),
        (["reference=app", "reference=ghcr.io/*/*"], "ab"), (["reference=*:2"], ""),
        (["reference=ghcr.io/b/app:*"], "b"),
        (["before=a"], "bc"), (["since=b"], "a"), (["since=c", "before=a"], "b"), (["until=30m"], "bc"),
        (["until=24h"], "c"),
        (["until=1699996400"], "c"), (["until=2023-11-14T22:00:00Z"], "bc"), (["until=2023-11-14"], "c"),
        (["until=1h30m"], "c"),
    ]

    @Test("filters leave what docker's leave", arguments: filters)
    func filter(_ example: (filters: [String], left: String)) throws {
        let images = try Self.images()
        let filters = try ImageFilters(parsing: example.filters, now: Self.now)
        let left = try filters.apply(to: images) { text in
            images.first { $0.id == Digest(hashing: text) }?.configuration.created
        }
        #expect(left.map(\.id) == example.left.map { Digest(hashing: String($0)) })
    }

    static let wrongFilters: [(String, String, String?)] = [
        ("label", "it has no value", "the form is KEY=VALUE, such as label=stage=test"),
        ("refrence=x", "there is no filter 'refrence'", "did you mean 'reference'?"),
        ("size=1", "there is no filter 'size'", "the filters are reference, label, before, since, until, dangling"),
        ("dangling=maybe", "it is neither true nor false", nil),
        ("until=soon", "'soon' is no time", "a time is '24h', '2026-05-01', an RFC 3339 time, or seconds"),
    ]

    @Test("filters that cannot be understood are errors", arguments: wrongFilters)
    func wrongFilter(_ example: (filter: String, problem: String, hint: String?)) {
        let error = #expect(throws: BuildError.self) { try ImageFilters(parsing: [example.filter], now: Self.now) }
        #expect(error?.code == .invalidFilter)
        #expect(error?.message == "invalid --filter '\(example.filter)': \(example.problem)")
        #expect(error?.hint == example.hint)
    }

    @Test("inspect has docker's members")
    func inspect() throws {
        var image = try Self.image("app:1", id: "a", age: 60, labels: ["k": "v"])
        var configuration = image.configuration
        configuration.config.environment = ["A=1"]
        configuration.config.exposedPorts = ["80/tcp"]
        configuration.config.healthcheck = Healthcheck(test: ["CMD", "x"], interval: .seconds(2))
        configuration.diffIDs = [Digest(hashing: "layer")]
        image = StoredImage(
            name: image.name, target: image.target, id: image.id, configuration: configuration, layerSizes: [5])
        let names = try ["app:1", "app:2", "x.org/app:1"].map { try ImageReference(parsing: $0) }
        let value = TemplateValue.record(InspectDocument(image, names: names).record)
        #expect(
            value.json.text(as: .compact) == """
                {"Id":"\(image.id)","RepoTags":["app:1","app:2","x.org/app:1"],\
                "RepoDigests":["app@\(image.target.digest)","x.org/app@\(image.target.digest)"],"Comment":"",\
                "Created":"2023-11-14T22:12:20Z","Author":"","Config":{"User":"","ExposedPorts":{"80/tcp":{}},\
                "Env":["A=1"],"Cmd":null,"Healthcheck":{"Test":["CMD","x"],"Interval":2000000000},"Volumes":null,\
                "WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":{"k":"v"}},"Architecture":"amd64",\
                "Os":"linux","Size":5,"RootFS":{"Type":"layers","Layers":["\(Digest(hashing: "layer"))"]},\
                "Descriptor":{"mediaType":"application/vnd.oci.image.manifest.v1+json",\
                "digest":"\(image.target.digest)","size":\(image.target.size)}}
                """)
    }
}
