import Foundation
import Testing
import WhittleCore
import WhittleOCI
import WhittleStore

@testable import WhittleExport

@Suite("Images of the store")
struct ImageStoreTests {
    private func store(
        _ store: StoreFixture, _ image: ExportImage, _ names: [String]
    ) async throws -> ExportResult {
        let format = ImageFormat(names: try names.map { try ImageReference(parsing: $0) })
        return try #require(
            try await store.exporter(image).write(.image(ImageStoreOptions(format: format))).image)
    }

    private func reader(_ store: StoreFixture) -> ImageStoreReader {
        ImageStoreReader(names: store.names, blobs: store.blobs)
    }

    @Test("an image is found under all its names, with the uncompressed size of each layer")
    func stores() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            var image = try fixture.image()
            // One whose size nobody told is measured.
            let size = image.layers[1].uncompressedSize
            image.layers[1].uncompressedSize = nil
            let result = try await store(fixture, image, ["app:1", "ghcr.io/a/app"])
            let listing = try reader(fixture).list()
            #expect(listing.problems.isEmpty)
            #expect(listing.images.map { $0.name?.familiarName } == ["app:1", "ghcr.io/a/app:latest"])
            for found in listing.images {
                #expect(found.id == result.imageID)
                #expect(found.target.digest == result.manifest.digest)
                #expect(found.layerSizes == [image.layers[0].uncompressedSize, size])
                #expect(found.configuration.config.command == ["/hello"])
            }
            #expect(result.manifest.annotations["dev.whittle.layer-sizes"] == nil)
        }
    }

    @Test("the store is an OCI layout that skopeo reads")
    func skopeo() async throws {
        guard let skopeo = ToolRun.find("skopeo") else { return }
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let result = try await store(fixture, try fixture.image(), ["app:1"])
            let inspected = try ToolRun(skopeo, ["inspect", "oci:\(fixture.layout.root):1"])
            #expect(inspected.status == 0, "\(inspected.output)")
            #expect(
                try JSONValue(parsing: Array(inspected.output.utf8))["Digest"]?.string
                    == result.manifest.digest.description)
        }
    }

    @Test("a name moves to the image that got it last, and storing an image again changes nothing")
    func moves() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let image = try fixture.image()
            _ = try await store(fixture, image, ["app", "old"])
            let second = try await store(fixture, try fixture.image(text: "new"), ["app"])
            #expect(try reader(fixture).find("app").id == second.imageID)
            #expect(try reader(fixture).find("old").id != second.imageID)
            func inode() throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: fixture.layout.imageIndex)[.systemFileNumber] as? Int
            }
            let before = try inode()
            _ = try await store(fixture, image, ["old"])
            #expect(try inode() == before)
        }
    }

    @Test("history is newest first, each step with the size of its own layer")
    func history() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let image = try fixture.image()
            let result = try await store(fixture, image, ["app"])
            let steps = try reader(fixture).find("app").steps
            #expect(steps.map { $0.id } == [result.imageID, nil, nil])
            #expect(
                steps.map { $0.createdBy } == [
                    "RUN /bin/sh -c echo world # buildkit", "CMD [\"/hello\"]", "COPY hello / # buildkit",
                ])
            #expect(
                steps.map { $0.size } == [image.layers[1].uncompressedSize, .zero, image.layers[0].uncompressedSize])
            #expect(steps[2].comment == "buildkit.dockerfile.v0")
        }
    }

    @Test("newest images come first")
    func order() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            for (name, time) in [("b", 2_000_000_000), ("c", 1_900_000_000), ("a", 2_000_000_000)] {
                _ = try await store(fixture, try fixture.image(created: Timestamp(seconds: Int64(time))), [name])
            }
            #expect(
                try reader(fixture).list().images.map { $0.name?.familiarRepository } == ["a", "b", "c"])
        }
    }

    @Test("images are found by name and by the beginning of their ID")
    func finds() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let result = try await store(fixture, try fixture.image(), ["app:1"])
            let reader = reader(fixture)
            for text in [
                "app:1", "docker.io/library/app:1", result.imageID.short, result.imageID.description,
                result.manifest.digest.hex, String(result.imageID.hex.prefix(4)).uppercased(),
            ] {
                #expect(try reader.find(text).id == result.imageID)
            }
        }
    }

    @Test("an image that is not there is said with a near name")
    func unknown() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            func error(_ text: String) -> BuildError? {
                #expect(throws: BuildError.self) { try reader(fixture).find(text) }
            }
            #expect(error("app")?.message == "there is no image 'app' in the store")
            #expect(error("app")?.hint == "no image has a name yet: build one with 'whittle build -t NAME .'")
            _ = try await store(fixture, try fixture.image(), ["webapp:1", "redis"])
            #expect(error("webapp:2")?.hint == "did you mean 'webapp:1'?")
            #expect(error("webapp")?.hint == "did you mean 'webapp:1'?")
            #expect(error("webap:1")?.hint == "did you mean 'webapp:1'?")
            #expect(error("rediss")?.hint == "did you mean 'redis'?")
            #expect(error("0000")?.hint == "'whittle images' lists those that are there")
            #expect(error("0000")?.code == .unknownImage)
        }
    }

    @Test("IDs that begin alike are told apart")
    func ambiguous() {
        let ids = ["a", "b"].map { Digest(hashing: $0) }
        let error = BuildError.ambiguousImage("ab", ids)
        #expect(error.message == "'ab' could be one of 2 images: \(ids[0].short), \(ids[1].short)")
        #expect(error.hint == "write more digits of the ID")
    }

    @Test("a damaged image does not hide the others")
    func damaged() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let lost = try await store(fixture, try fixture.image(text: "lost"), ["lost"])
            _ = try await store(fixture, try fixture.image(), ["app"])
            try FileManager.default.removeItem(atPath: fixture.blobs.path(of: lost.imageID))
            let listing = try reader(fixture).list()
            #expect(listing.images.map { $0.name?.familiarRepository } == ["app"])
            #expect(listing.problems.count == 1)
            #expect(listing.problems[0].message.hasPrefix("cannot read the image 'lost:latest': "))
        }
    }

    @Test("an image whose layer is missing gets no name")
    func missingLayer() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let image = try fixture.image()
            try FileManager.default.removeItem(atPath: fixture.blobs.path(of: image.layers[0].descriptor.digest))
            let error = await #expect(throws: BuildError.self) { try await store(fixture, image, ["app"]) }
            #expect(error?.code == .blobDamaged)
            #expect(try fixture.names.entries().isEmpty)
        }
    }

    @Test("sizes that do not fit the layers are not believed", arguments: ["", "1", "1,2,3", "1,-2", "1,x", "1,2,"])
    func sizes(_ value: String) {
        let sizes = LayerSizeAnnotation.sizes(in: [LayerSizeAnnotation.key: value], count: 2)
        #expect(sizes == (value == "1,2," ? [1, 2] : nil))
    }

    @Test("the sizes of each image of an index are kept apart")
    func sizesOfPlatforms() {
        let (one, two, other) = (Digest(hashing: "one"), Digest(hashing: "two"), Digest(hashing: "other"))
        let value = LayerSizeAnnotation.value(of: [(one, [1, 2]), (two, [3])])
        func sizes(_ manifest: Digest, _ count: Int) -> [ByteCount]? {
            LayerSizeAnnotation.sizes(in: [LayerSizeAnnotation.key: value], of: manifest, count: count)
        }
        #expect(sizes(one, 2) == [1, 2] && sizes(two, 1) == [3])
        #expect(sizes(two, 2) == nil && sizes(other, 1) == nil)
        // Such a value is no list of one image.
        #expect(LayerSizeAnnotation.sizes(in: [LayerSizeAnnotation.key: value], count: 2) == nil)
    }
}
