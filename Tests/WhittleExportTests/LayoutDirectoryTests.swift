import Foundation
import Testing
import WhittleCore
import WhittleExport
import WhittleOCI
import WhittleStore

@Suite("Image layouts as directories")
struct LayoutDirectoryTests {
    private func export(_ store: StoreFixture, _ image: ExportImage, _ names: [String], to path: String) async throws
        -> ExportResult
    {
        let format = ImageFormat(names: try names.map { try ImageReference(parsing: $0) })
        return try #require(
            try await store.exporter(image).write(
                .oci(ImageLayoutOptions(format: format, destination: .directory(path: path)))
            ).image)
    }

    private func index(_ path: String) throws -> Index {
        try Index(parsing: try Data(contentsOf: URL(fileURLWithPath: "\(path)/index.json")))
    }

    private func names(_ path: String) throws -> [String] {
        try index(path).manifests.map { $0.annotations["io.containerd.image.name"] ?? "-" }
    }

    @Test("makes the directory, and keeps the other images of one that is there")
    func adds() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let path = "\(directory)/deep/layout"
            let one = try await export(store, try store.image(), ["app:1", "app:2"], to: path)
            let two = try await export(store, try store.image(text: "other"), ["app:2", "b"], to: path)
            #expect(
                try names(path) == [
                    "docker.io/library/app:1", "docker.io/library/app:2", "docker.io/library/b:latest",
                ])
            #expect(try index(path).manifests.map { $0.digest } == [one, two, two].map { $0.manifest.digest })
            // Nothing but the layout: no temporary and no lock file.
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                    == ["blobs", "index.json", "oci-layout"])
            let blobs = try FileManager.default.contentsOfDirectory(atPath: "\(path)/blobs/sha256")
            #expect(blobs.count == 7)
            for blob in blobs {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(path)/blobs/sha256/\(blob)"))
                #expect(Digest(hashing: bytes).hex == blob)
            }
        }
    }

    @Test("an image without a name is there once, however often it is written")
    func unnamed() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let image = try store.image()
            for _ in 0..<2 { _ = try await export(store, image, [], to: "\(directory)/layout") }
            #expect(try names("\(directory)/layout") == ["-"])
        }
    }

    @Test("takes a tag over from an entry of a tool that knows tags only")
    func tagOnly() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let path = "\(directory)/layout"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let other = Digest(hashing: "other")
            try write(
                """
                {"schemaVersion":2,"manifests":[
                 {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(other)","size":1,
                  "annotations":{"org.opencontainers.image.ref.name":"1"}},
                 {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(other)","size":1,
                  "annotations":{"org.opencontainers.image.ref.name":"2"}}]}
                """, to: "\(path)/index.json")
            _ = try await export(store, try store.image(), ["app:1"], to: path)
            let tags = try index(path).manifests.map { $0.annotations["org.opencontainers.image.ref.name"] }
            #expect(tags == ["2", "1"])
        }
    }

    @Test("leaves an index.json alone that is something else")
    func foreign() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let path = "\(directory)/site"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try write("[]", to: "\(path)/index.json")
            let error = await #expect(throws: BuildError.self) {
                try await export(store, try store.image(), ["a"], to: path)
            }
            #expect(error?.code == .invalidLayout)
            #expect(
                error?.message == "cannot add the image to '\(path)': its 'index.json' is no OCI image index")
            #expect(try read("\(path)/index.json") == "[]")
        }
    }

    @Test("several builds may write into one layout at once", .timeLimit(.minutes(1)))
    func concurrent() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let path = "\(directory)/layout"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    let image = try store.image(text: "\(number)")
                    group.addTask { _ = try await export(store, image, ["app:\(number)"], to: path) }
                }
                try await group.waitForAll()
            }
            #expect(try Set(names(path)) == Set((0..<8).map { "docker.io/library/app:\($0)" }))
        }
    }

    @Test("skopeo reads it")
    func skopeo() async throws {
        guard let skopeo = ToolRun.find("skopeo") else { return }
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let result = try await export(store, try store.image(), ["app:1"], to: "\(directory)/layout")
            let inspected = try ToolRun(skopeo, ["inspect", "oci:\(directory)/layout:1"])
            #expect(inspected.status == 0, "\(inspected.output)")
            let json = try JSONValue(parsing: Array(inspected.output.utf8))
            #expect(json["Digest"]?.string == result.manifest.digest.description)
        }
    }
}
