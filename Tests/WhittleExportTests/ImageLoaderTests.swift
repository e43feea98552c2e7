import Foundation
import Testing
import WhittleArchive
import WhittleCore
import WhittleOCI
import WhittleStore

@testable import WhittleExport

/// Writes archives of images, right and wrong ones.
struct ArchiveFixture {
    var entries: [(entry: TarEntry, bytes: [UInt8])] = []

    mutating func add(_ path: String, _ bytes: [UInt8]) {
        entries.append((TarEntry(path: Array(path.utf8), kind: .regular, size: Int64(bytes.count)), bytes))
    }

    mutating func add(_ path: String, _ text: String) { add(path, Array(text.utf8)) }

    mutating func link(_ path: String, _ target: String, _ kind: TarEntry.Kind = .symbolicLink) {
        entries.append((TarEntry(path: Array(path.utf8), kind: kind, linkTarget: Array(target.utf8)), []))
    }

    @discardableResult
    mutating func blob(_ bytes: [UInt8]) -> Digest {
        let digest = Digest(hashing: bytes)
        add("blobs/sha256/\(digest.hex)", bytes)
        return digest
    }

    /// A layer, uncompressed.
    static let layer = Array(repeating: UInt8(0), count: 1024)

    static func configuration(_ diffIDs: [Digest]) -> [UInt8] {
        var configuration = ImageConfiguration(platform: .host)
        configuration.diffIDs = diffIDs
        return configuration.encoded()
    }

    /// A whole OCI layout, into which tests put one wrong thing.
    static func layout(
        name: String? = "docker.io/library/app:1", diffID: Digest = Digest(hashing: layer), layerSize: Int? = nil,
        hasLayer: Bool = true, hasMarker: Bool = true
    ) -> ArchiveFixture {
        var archive = ArchiveFixture()
        let config = configuration([diffID])
        if hasLayer { archive.blob(layer) }
        archive.blob(config)
        let manifest = Manifest(
            config: Descriptor(of: config, as: .ociConfiguration),
            layers: [
                Descriptor(mediaType: .ociLayer, digest: Digest(hashing: layer), size: Int64(layerSize ?? layer.count))
            ])
        archive.blob(manifest.encoded())
        var entry = Descriptor(of: manifest.encoded(), as: .ociManifest)
        entry.annotations["io.containerd.image.name"] = name
        archive.add("index.json", Index(manifests: [entry]).encoded())
        if hasMarker { archive.add("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#) }
        return archive
    }

    /// A whole docker archive as docker wrote them before 2023.
    static func docker(
        _ manifest: String? = nil, config: [UInt8]? = nil, hasLayer: Bool = true
    ) -> ArchiveFixture {
        var archive = ArchiveFixture()
        let config = config ?? configuration([Digest(hashing: layer), Digest(hashing: layer)])
        archive.add("c.json", config)
        if hasLayer { archive.add("first/layer.tar", layer) }
        archive.link("second/layer.tar", "../first/layer.tar")
        archive.add(
            "manifest.json",
            manifest
                ?? #"[{"Config":"c.json","RepoTags":["app:1","app:2"],"Layers":["first/layer.tar","second/layer.tar"]}]"#
        )
        return archive
    }

    func write(to path: String) throws {
        var bytes: [UInt8] = []
        var tar = TarWriter { bytes += $0 }
        for (entry, content) in entries {
            try tar.begin(entry)
            if !content.isEmpty { try tar.write(content) }
        }
        try tar.finish()
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}

@Suite("Loading archives of images")
struct ImageLoaderTests {
    private func load(_ archive: ArchiveFixture, _ store: StoreFixture, _ directory: String) async throws
        -> [ImageLoader.Loaded]
    {
        let path = "\(directory)/archive.tar"
        try archive.write(to: path)
        let scratch = try ProcessScratch(in: store.layout)
        defer { #expect(throws: Never.self) { try scratch.remove() } }
        return try await ImageLoader(blobs: store.blobs, names: store.names, scratch: scratch).load(from: path)
    }

    @Test("an OCI layout is loaded under its name, or without one")
    func layout() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let loaded = try await load(.layout(), store, directory)
            #expect(loaded.map { $0.names.map(\.familiarName) } == [["app:1"]])
            let reader = ImageStoreReader(names: store.names, blobs: store.blobs)
            #expect(try reader.find("app:1").id == loaded[0].id)
            #expect(try reader.find("app:1").layerSizes == [1024])
            // It has a name already and needs no entry without one.
            #expect(try await load(.layout(name: nil), store, directory).map(\.names) == [[]])
            #expect(try store.names.unnamed().isEmpty)
        }
    }

    @Test("an image without a name is found by its ID until it gets one")
    func unnamed() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let id = try await load(.layout(name: nil), store, directory)[0].id
            let reader = ImageStoreReader(names: store.names, blobs: store.blobs)
            #expect(try reader.list().images.map(\.name) == [nil])
            #expect(try reader.find(id.short).id == id)
            try await ImageTagger(names: store.names, reader: reader).tag(id.short, as: "app")
            #expect(try reader.list().images.map { $0.name?.familiarName } == ["app:latest"])
        }
    }

    @Test("a docker archive gets a manifest, and links in it stand for layers")
    func docker() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let loaded = try await load(.docker(), store, directory)
            #expect(loaded.map { $0.names.map(\.familiarName) } == [["app:1", "app:2"]])
            let image = try ImageStoreReader(names: store.names, blobs: store.blobs).find("app:2")
            #expect(image.layerSizes == [1024, 1024])
            #expect(image.target.mediaType == .ociManifest)
        }
    }

    /// Archives that are wrong, and what is said about them.
    static let wrong: [(String, ArchiveFixture, BuildError.Code, String)] = {
        func with(_ archive: ArchiveFixture, _ change: (inout ArchiveFixture) -> Void) -> ArchiveFixture {
            var archive = archive
            change(&archive)
            return archive
        }
        let hash = Digest(hashing: ArchiveFixture.layer)
        let other = Digest(hashing: "other")
        let invalid = BuildError.Code.invalidImageArchive
        return [
            ("nothing", ArchiveFixture(), .notAnImageArchive, "there is no archive, or an empty one"),
            (
                "files", with(ArchiveFixture()) { $0.add("etc/passwd", "x") }, .notAnImageArchive,
                "the archive has neither 'index.json' nor 'manifest.json' (it has 1 files)"
            ),
            (
                "blob", with(.layout()) { $0.add("blobs/sha256/\(other.hex)", "not other") }, invalid,
                "the file 'blobs/sha256/\(other.hex)' has the digest \(Digest(hashing: "not other"))"
            ),
            (
                "parent", with(.layout()) { $0.add("../../etc/cron.d/x", "x") }, invalid,
                "it has a name that leads out of it: '../../etc/cron.d/x'"
            ),
            (
                "absolute", with(.layout()) { $0.add("/etc/x\u{1B}", "x") }, invalid,
                "it has a name that leads out of it: '/etc/x\\u{1b}'"
            ),
            (
                "long", with(.layout()) { $0.add(String(repeating: "a", count: 1025), "x") }, invalid,
                "it has a name that is too long or no UTF-8: '\(String(repeating: "a", count: 100))'"
            ),
            ("link", with(.layout()) { $0.link("a/b", "../../x") }, invalid, "its link 'a/b' leads out of it"),
            ("absolute link", with(.layout()) { $0.link("a", "/etc/passwd") }, invalid, "its link 'a' leads out of it"),
            ("hard link", with(.layout()) { $0.link("a", "../x", .hardLink) }, invalid, "its link 'a' leads out of it"),
            ("missing layer", .layout(hasLayer: false), invalid, "it lacks the blob \(hash) that the manifest "),
            ("size", .layout(layerSize: 1023), invalid, "the blob \(hash) has 1024 bytes, and the manifest "),
            (
                "diffID", .layout(diffID: other), invalid,
                "a layer has the digest \(hash) when uncompressed, and the configuration says \(other)"
            ),
            ("name", .layout(name: "UPPER:1"), .invalidImageReference, "'UPPER:1'"),
            (
                "index", with(ArchiveFixture()) { $0.add("index.json", "{") }, .malformedDocument,
                "cannot read the image "
            ),
            (
                "empty index", with(ArchiveFixture()) { $0.add("index.json", Index(manifests: []).encoded()) },
                .notAnImageArchive,
                "the archive's 'index.json' lists no image"
            ),
            (
                "deep", with(ArchiveFixture()) { $0.add("manifest.json", String(repeating: "[", count: 100_000)) },
                invalid,
                "its 'manifest.json' is no JSON: "
            ),
            (
                "docker layer", .docker(hasLayer: false), invalid,
                "it lacks the layer 'first/layer.tar' that 'manifest.json' lists"
            ),
            (
                "docker config", .docker(#"[{"Config":"../c.json","Layers":[]}]"#), invalid,
                "it lacks the configuration '../c.json' that 'manifest.json' lists"
            ),
            (
                "layers", .docker(#"[{"Config":"c.json","Layers":["first/layer.tar"]}]"#), invalid,
                "an image has 1 layers, and its configuration lists 2"
            ),
            ("object", .docker("{}"), invalid, "its 'manifest.json' is no list of images"),
            ("member", .docker("[{}]"), invalid, "its 'manifest.json' has an image without 'Config' and 'Layers'"),
            (
                "number", .docker(#"[{"Config":"c.json","Layers":[1]}]"#), invalid,
                "its 'manifest.json' has a number where a name is expected"
            ),
            ("configuration", .docker(config: Array("[]".utf8)), .malformedDocument, "cannot read the image "),
        ]
    }()

    @Test("a wrong archive is an error, and nothing of it stays", arguments: wrong)
    func refuses(_ example: (what: String, archive: ArchiveFixture, code: BuildError.Code, message: String))
        async throws
    {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let error = await #expect(throws: BuildError.self) { try await load(example.archive, store, directory) }
            #expect(error?.code == example.code)
            #expect(error?.message.contains(example.message) == true, "\(error?.message ?? "")")
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.layout.blobs).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.scratch.path).isEmpty)
            #expect(try store.names.entries().isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.layout.active).count == 2)
        }
    }

    @Test("a document that no image has is not read into memory")
    func hugeDocument() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            var archive = ArchiveFixture()
            archive.add("index.json", [UInt8](repeating: 0x20, count: 9 << 20))
            let error = await #expect(throws: BuildError.self) { try await load(archive, store, directory) }
            #expect(error?.message == "loading images: 'index.json' has 9.44MB, and a document may have 8.39MB")
        }
    }

    @Test("what was cut short, or is no archive, is an error", arguments: [0, 1, 700, 5000])
    func cut(_ length: Int) async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            try ArchiveFixture.layout().write(to: "\(directory)/whole.tar")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/whole.tar"))
            try bytes.prefix(length).write(to: URL(fileURLWithPath: "\(directory)/cut.tar"))
            let loader = ImageLoader(blobs: store.blobs, names: store.names, scratch: store.scratch)
            let error = await #expect(throws: BuildError.self) { try await loader.load(from: "\(directory)/cut.tar") }
            #expect(
                ["not-an-image-archive", "malformed-archive", "invalid-image-archive"].contains(error?.code.rawValue))
        }
    }

    @Test("what is saved is loaded again, whatever the tool and the compression between")
    func roundTrip() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let image = try store.image()
            for (text, name) in [("one", "app:1"), ("two", "app:2")] {
                let format = ImageFormat(names: [try ImageReference(parsing: name)])
                _ = try await store.exporter(try store.image(text: text)).write(
                    .image(ImageStoreOptions(format: format)))
            }
            #expect(image.layers.count == 2)
            let reader = ImageStoreReader(names: store.names, blobs: store.blobs)
            let saver = ImageSaver(names: store.names, blobs: store.blobs)
            for format in ImageSaver.Format.allCases {
                let path = "\(directory)/\(format).tar"
                // The repository alone stands for both tags.
                try await saver.save(["app", "app:1"], as: format, to: .file(path: path))
                let other = try StoreFixture(in: "\(directory)/\(format)")
                let loader = ImageLoader(blobs: other.blobs, names: other.names, scratch: other.scratch)
                let loaded = try await loader.load(from: path)
                #expect(loaded.map { $0.names.map(\.familiarName) } == [["app:1"], ["app:2"]])
                #expect(try loaded.map(\.id) == [reader.find("app:1").id, reader.find("app:2").id])
                let found = try ImageStoreReader(names: other.names, blobs: other.blobs).find("app:1")
                #expect(try found.layerSizes == reader.find("app:1").layerSizes)
                #expect(try found.target.digest == reader.find("app:1").target.digest)
            }
        }
    }

    @Test("an image is saved by its ID without a name")
    func savedByID() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let format = ImageFormat(names: [try ImageReference(parsing: "app")])
            let result = try #require(
                try await store.exporter(store.image()).write(.image(ImageStoreOptions(format: format))).image)
            let path = "\(directory)/image.tar"
            try await ImageSaver(names: store.names, blobs: store.blobs)
                .save([result.imageID.short], as: .docker, to: .file(path: path))
            let other = try StoreFixture(in: "\(directory)/other")
            let loader = ImageLoader(blobs: other.blobs, names: other.names, scratch: other.scratch)
            #expect(try await loader.load(from: path).map(\.names) == [[]])
        }
    }
}

@Suite("Removing and naming images")
struct ImageRemoverTests {
    private struct Fixture {
        let store: StoreFixture
        let reader: ImageStoreReader
        let remover: ImageRemover
        let id: Digest

        init(in directory: String, names: [String]) async throws {
            store = try StoreFixture(in: directory)
            let format = ImageFormat(names: try names.map { try ImageReference(parsing: $0) })
            let result = try #require(
                try await store.exporter(store.image()).write(.image(ImageStoreOptions(format: format))).image)
            id = result.imageID
            reader = ImageStoreReader(names: store.names, blobs: store.blobs)
            remover = ImageRemover(names: store.names, reader: reader)
        }
    }

    @Test("a name goes, and the image with its last name")
    func byName() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try await Fixture(in: directory, names: ["app:1", "app:2"])
            let first = try await fixture.remover.remove("app:1", isForced: false)
            #expect(first.untagged.map(\.familiarName) == ["app:1"] && first.deleted == nil)
            let last = try await fixture.remover.remove("docker.io/library/app:2", isForced: false)
            #expect(last.untagged.map(\.familiarName) == ["app:2"] && last.deleted == fixture.id)
            #expect(last.targets.count == 1)
            #expect(try fixture.store.names.entries().isEmpty)
        }
    }

    @Test("an image with several names is removed by its ID only by force")
    func byID() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try await Fixture(in: directory, names: ["app:1", "x.org/app:2"])
            let short = fixture.id.short
            let error = await #expect(throws: BuildError.self) {
                try await fixture.remover.remove(short, isForced: false)
            }
            #expect(error?.code == .imageHasNames)
            #expect(
                error?.message == "cannot remove the image '\(short)' by its ID: it has 2 names: 'app:1', 'x.org/app:2'"
            )
            #expect(error?.hint == "remove one of the names, or all of them with --force")
            #expect(try fixture.store.names.entries().count == 2)
            let removal = try await fixture.remover.remove(short, isForced: true)
            #expect(removal.untagged.map(\.familiarName) == ["app:1", "x.org/app:2"] && removal.deleted == fixture.id)
        }
    }

    @Test("a damaged image can be removed by its name")
    func damaged() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try await Fixture(in: directory, names: ["app:1"])
            let target = try #require(try fixture.store.names.entries().first?.descriptor.digest)
            try FileManager.default.removeItem(atPath: fixture.store.blobs.path(of: target))
            #expect(try await fixture.remover.remove("app:1", isForced: false).deleted == target)
        }
    }

    @Test("a name is given, moved, and refused where it is none")
    func tag() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try await Fixture(in: directory, names: ["app:1"])
            let tagger = ImageTagger(names: fixture.store.names, reader: fixture.reader)
            try await tagger.tag(fixture.id.short, as: "x.org/team/app")
            let found = try fixture.reader.find("x.org/team/app:latest")
            #expect(try found.id == fixture.id && found.layerSizes == fixture.reader.find("app:1").layerSizes)
            func error(_ name: String) async -> BuildError? {
                await #expect(throws: BuildError.self) { try await tagger.tag("app:1", as: name) }
            }
            #expect(await error("UPPER")?.code == .invalidImageReference)
            let pinned = "app@\(fixture.id)"
            #expect(
                await error(pinned)?.message == "cannot name an image '\(pinned)': a name with a digest cannot be given"
            )
            #expect(try fixture.reader.find("app@\(found.target.digest)").id == fixture.id)
        }
    }
}
