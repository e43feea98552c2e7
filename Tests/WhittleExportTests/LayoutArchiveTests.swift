import Foundation
import Testing
import WhittleArchive
import WhittleCore
import WhittleExport
import WhittleOCI
import WhittleStore

/// Collects an archive.
private struct Collector: TarConsumer {
    var entries: [TarEntry] = []
    var contents: [String: [UInt8]] = [:]

    mutating func begin(_ entry: TarEntry) {
        entries.append(entry)
        contents[entry.displayPath] = []
    }
    mutating func data(_ bytes: UnsafeRawBufferPointer) {
        if let last = entries.last { contents[last.displayPath]?.append(contentsOf: bytes) }
    }
    mutating func hole(_ count: Int64) {}
    mutating func end() {}
}

@Suite("Archives of images")
struct LayoutArchiveTests {
    private func options(_ path: String, names: [String] = [], _ type: MediaType.Compression = .gzip) throws
        -> ImageLayoutOptions
    {
        ImageLayoutOptions(
            format: ImageFormat(
                names: try names.map { try ImageReference(parsing: $0) }, compression: LayerCompression(type)),
            destination: .archive(.file(path: path)))
    }

    private func contents(of path: String) throws -> (entries: [TarEntry], contents: [String: [UInt8]]) {
        var reader = TarReader(Collector())
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try bytes.withUnsafeBytes { try reader.feed($0) }
        try reader.finish()
        return (reader.consumer.entries, reader.consumer.contents)
    }

    @Test("an OCI archive has sorted entries without a clock, and one index entry for each name")
    func oci() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let image = try store.image()
            let path = "\(directory)/image.tar"
            let result = try #require(
                try await store.exporter(image).write(
                    .oci(try options(path, names: ["app:1", "localhost:5000/x/app"]))
                ).image)
            let (entries, contents) = try contents(of: path)
            let paths = entries.map { $0.displayPath }
            #expect(paths == paths.sorted())
            #expect(paths.prefix(2) == ["blobs/", "blobs/sha256/"])
            #expect(paths.suffix(2) == ["index.json", "oci-layout"])
            #expect(paths.count == 2 + 4 + 2)
            #expect(entries.allSatisfy { $0.modified == Timestamp(seconds: 0) && $0.uid == 0 && $0.gid == 0 })
            #expect(contents["oci-layout"] == Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))

            let index = try Index(parsing: try #require(contents["index.json"]))
            #expect(index.manifests.map { $0.digest } == [result.manifest.digest, result.manifest.digest])
            #expect(index.manifests.map { $0.annotations["org.opencontainers.image.ref.name"] } == ["1", "latest"])
            #expect(
                index.manifests.map { $0.annotations["io.containerd.image.name"] } == [
                    "docker.io/library/app:1", "localhost:5000/x/app:latest",
                ])
            #expect(index.manifests.allSatisfy { $0.platform == .host })
            for layer in image.layers {
                let blob = try #require(contents["blobs/sha256/\(layer.descriptor.digest.hex)"])
                #expect(Digest(hashing: blob) == layer.descriptor.digest)
            }
            #expect(result.names.map { $0.familiarName } == ["app:1", "localhost:5000/x/app:latest"])
        }
    }

    @Test("an image without names has one index entry without one")
    func unnamed() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let path = "\(directory)/image.tar"
            _ = try await store.exporter(store.image()).write(.docker(try options(path)))
            let contents = try contents(of: path).contents
            let index = try Index(parsing: try #require(contents["index.json"]))
            #expect(index.manifests.count == 1)
            #expect(index.manifests[0].annotations["io.containerd.image.name"] == nil)
            let manifest = try JSONValue(parsing: try #require(contents["manifest.json"]))
            #expect(manifest[0]?["RepoTags"] == [])
        }
    }

    @Test("a docker archive says where configuration and layers are")
    func docker() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let image = try store.image()
            let path = "\(directory)/image.tar"
            let result = try #require(
                try await store.exporter(image).write(.docker(try options(path, names: ["app:1"]))).image)
            let (entries, contents) = try contents(of: path)
            #expect(entries.suffix(3).map { $0.displayPath } == ["index.json", "manifest.json", "oci-layout"])
            let manifest = try JSONValue(parsing: try #require(contents["manifest.json"]))
            #expect(
                manifest == [
                    [
                        "Config": .string("blobs/sha256/\(result.imageID.hex)"),
                        "Layers": .array(image.layers.map { .string("blobs/sha256/\($0.descriptor.digest.hex)") }),
                        "RepoTags": ["app:1"],
                    ]
                ])
        }
    }

    @Test("equal images give equal archives, and a layer that is there twice is written once")
    func deterministic() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            var image = try store.image()
            image.layers.append(image.layers[0])
            for name in ["a", "b"] {
                _ = try await store.exporter(image).write(.oci(try options("\(directory)/\(name)", names: ["x"])))
            }
            let first = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/a"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/b")) == first)
            #expect(try contents(of: "\(directory)/a").entries.count == 2 + 4 + 2)
        }
    }

    @Test("replaces a file and keeps its permissions; what it links to is replaced, not the link")
    func replaces() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let path = "\(directory)/old.tar"
            try write("old", to: path)
            #expect(chmod(path, 0o600) == 0)
            #expect(symlink("old.tar", "\(directory)/link.tar") == 0)
            _ = try await store.exporter(store.image()).write(.oci(try options("\(directory)/link.tar")))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/link.tar") == "old.tar")
            #expect(try contents(of: path).entries.count == 8)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test("a layer that is copied in many pieces arrives whole, checked or not", arguments: [true, false])
    func large(isVerified: Bool) async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            var image = try store.image(.uncompressed)
            // Two pieces of 8 MiB and a bit, none like another.
            let text = (0..<1_200_000).map { "\($0) a line\n" }.joined()
            image.layers.append(try store.layer([("large", text)], .uncompressed))
            for index in image.layers.indices { image.layers[index].isVerified = isVerified }
            #expect(image.layers[2].descriptor.size > 2 * 8 << 20)
            let path = "\(directory)/image.tar"
            _ = try await store.exporter(image).write(.oci(try options(path, .uncompressed)))
            let (entries, contents) = try contents(of: path)
            #expect(entries.count == 2 + 5 + 2)
            for layer in image.layers {
                let blob = try #require(contents["blobs/sha256/\(layer.descriptor.digest.hex)"])
                #expect(Digest(hashing: blob) == layer.descriptor.digest)
            }
        }
    }

    @Test("a blob that is said to be checked and has another length is an error all the same")
    func shortThoughVerified() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            var image = try store.image()
            image.layers[1].isVerified = true
            let blob = store.blobs.path(of: image.layers[1].descriptor.digest)
            try Data(contentsOf: URL(fileURLWithPath: blob)).dropLast().write(to: URL(fileURLWithPath: blob))
            let error = await #expect(throws: BuildError.self) {
                try await store.exporter(image).write(.oci(try options("\(directory)/image.tar")))
            }
            #expect(error?.code.rawValue == "blob-damaged")
            #expect(!FileManager.default.fileExists(atPath: "\(directory)/image.tar"))
        }
    }

    @Test("a damaged blob is an error that leaves the old file, and nothing else", arguments: [true, false])
    func damaged(isShort: Bool) async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let image = try store.image()
            let digest = image.layers[1].descriptor.digest
            let blob = store.blobs.path(of: digest)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: blob))
            if isShort { bytes.removeLast() } else { bytes[bytes.count / 2] ^= 0xFF }
            try bytes.write(to: URL(fileURLWithPath: blob))
            let path = "\(directory)/out/image.tar"
            try FileManager.default.createDirectory(atPath: "\(directory)/out", withIntermediateDirectories: true)
            try write("old", to: path)
            let error = await #expect(throws: BuildError.self) {
                try await store.exporter(image).write(.oci(try options(path)))
            }
            #expect(error?.code.rawValue == "blob-damaged")
            #expect(
                error?.message == "cannot export the blob \(digest): the file '\(blob)' does not have this digest")
            #expect(try read(path) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)/out") == ["image.tar"])
        }
    }

    @Test("a full disk is said clearly")
    func full() async throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else {
            print("skipped: this machine has no /dev/full")
            return
        }
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let error = await #expect(throws: BuildError.self) {
                try await store.exporter(store.image()).write(.oci(try options("/dev/full")))
            }
            #expect(error?.message == "cannot write output '/dev/full': no space left on device")
            #expect(error?.hint == "free some disk space there, or name another place with 'dest='")
        }
    }

    @Test("a directory that is missing is said clearly")
    func missingParent() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let error = await #expect(throws: BuildError.self) {
                try await store.exporter(store.image()).write(.oci(try options("\(directory)/no/o.tar")))
            }
            #expect(error?.code == .outputDestination)
            #expect(error?.hint == "make it with 'mkdir -p \(directory)/no'")
        }
    }

    @Test("skopeo and umoci read an OCI archive", arguments: MediaType.Compression.allCases)
    func skopeo(_ type: MediaType.Compression) async throws {
        guard let skopeo = ToolRun.find("skopeo"), let umoci = ToolRun.find("umoci"), let tar = ToolRun.find("tar")
        else { return }
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let image = try store.image(type)
            let path = "\(directory)/image.tar"
            let result = try #require(
                try await store.exporter(image).write(.oci(try options(path, names: ["app:1"], type))).image)
            let inspected = try ToolRun(skopeo, ["inspect", "oci-archive:\(path):1"])
            #expect(inspected.status == 0, "\(inspected.output)")
            let json = try JSONValue(parsing: Array(inspected.output.utf8))
            #expect(json["Digest"]?.string == result.manifest.digest.description)
            #expect(json["Layers"]?.array?.count == 2)
            try FileManager.default.createDirectory(atPath: "\(directory)/l", withIntermediateDirectories: true)
            #expect(try ToolRun(tar, ["-xf", path, "-C", "\(directory)/l"]).status == 0)
            // umoci 0.4 reads no layers of zstd.
            guard type != .zstd else { return }
            let unpacked = try ToolRun(
                umoci, ["unpack", "--rootless", "--image", "\(directory)/l:1", "\(directory)/bundle"])
            #expect(unpacked.status == 0, "\(unpacked.output)")
            #expect(try read("\(directory)/bundle/rootfs/hello") == "hello")
            #expect(try read("\(directory)/bundle/rootfs/etc/world") == "world")
        }
    }

    @Test(
        "skopeo reads a docker archive, and copies it", arguments: [MediaType.Compression.gzip, .uncompressed, .zstd])
    func dockerArchive(_ type: MediaType.Compression) async throws {
        guard let skopeo = ToolRun.find("skopeo") else { return }
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            var image = try store.image(type)
            // A layer twice, as an image may have it.
            image.layers.append(image.layers[0])
            let path = "\(directory)/image.tar"
            let result = try #require(
                try await store.exporter(image).write(.docker(try options(path, names: ["app:1", "b"], type))).image)
            let copied = try ToolRun(
                skopeo, ["--insecure-policy", "copy", "docker-archive:\(path):app:1", "oci:\(directory)/copy:x"])
            #expect(copied.status == 0, "\(copied.output)")
            let inspected = try ToolRun(skopeo, ["inspect", "--config", "oci:\(directory)/copy:x"])
            let configuration = try ImageConfiguration(parsing: Array(inspected.output.utf8))
            #expect(configuration.diffIDs == image.layers.map { $0.diffID })
            #expect(configuration.config.command == ["/hello"])
            #expect(result.manifest.mediaType == .ociManifest)
        }
    }
}
