import Synchronization
import Testing
import WhittleCore
import WhittleOCI
import WhittleRegistry
import WhittleStore
import WhittleTestKit

@testable import WhittleExport

@Suite("Pushing images", .timeLimit(.minutes(1)))
struct ImagePusherTests {
    private func reference(_ text: String) throws -> ImageReference { try ImageReference(parsing: text) }

    /// A memory of origins that lives as long as the test.
    private final class Memory: Sendable {
        let known = Mutex<[Digest: [BlobOrigin]]>([:])

        var origins: KnownOrigins {
            KnownOrigins(
                find: { digests in self.known.withLock { known in known.filter { digests.contains($0.key) } } },
                note: { digests, origin in
                    self.known.withLock { known in for digest in digests { known[digest, default: []].append(origin) } }
                })
        }
    }

    @Test("names are sorted by registry and repository, each tag once")
    func destinations() throws {
        let names = try ["r.example/a:1", "s.example/a:1", "r.example/b:1", "r.example/a:2", "r.example/a:1"].map(
            reference)
        let found = PushDestinations(names, isByDigest: false)
        #expect(
            found.registries.map { $0.map { "\($0.reference.name) \($0.tags)" } } == [
                [#"r.example/a ["1", "2"]"#, #"r.example/b ["1"]"#], [#"s.example/a ["1"]"#],
            ])
        #expect(PushDestinations(names, isByDigest: true).repositories.allSatisfy { $0.tags.isEmpty })
    }

    @Test("a second repository of the same registry takes the layers of the first")
    func several() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let registry = try TestRegistry()
            let image = try fixture.image()
            for layer in image.layers { registry.allowMount(of: layer.descriptor.digest, from: "a") }
            let format = ImageFormat(
                names: try ["\(registry.host)/a:1", "\(registry.host)/b", "\(registry.host)/a:2"].map(reference))
            var options = ImageStoreOptions(format: format)
            options.push = ImagePushOptions()
            let memory = Memory()
            let pusher = ImagePusher(
                client: { RegistryClient(settings: RegistrySettings()) }, blobs: fixture.blobs,
                origins: memory.origins, report: { _, _ in })
            let documents = ImageDocuments(of: [image], format: format)
            try await pusher.check([options])
            try await pusher.begin([image.layers[0].descriptor], of: options)
            // In a registry of its own for each repository; this one has one set of blobs for all.
            registry.inject(.status(404), on: "/v2/b/blobs/sha256", method: "HEAD", times: 9)
            try await pusher.push(PushContents(of: documents), to: options)
            await pusher.end()

            let manifest = documents.images[0].manifest.bytes
            for name in ["a:1", "a:2", "b:latest"] { #expect(registry.manifest(name) == manifest) }
            let puts = registry.requests.filter { $0.method == "PUT" && $0.path.contains("/blobs/") }
            #expect(puts.filter { $0.path.hasPrefix("/v2/a/") }.count == image.layers.count + 1)
            #expect(puts.filter { $0.path.hasPrefix("/v2/b/") }.count == 1)
            let origins = memory.known.withLock { $0[image.layers[0].descriptor.digest] }
            #expect(origins?.map(\.repository) == ["a", "b"])
        }
    }

    @Test("an image of the store is read back whole, and one that lacks a part is not pushed")
    func stored() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let fixture = try StoreFixture(in: directory)
            let image = try fixture.image()
            var format = ImageFormat(names: [try reference("app:1")])
            format.makesIndex = true
            let documents = ImageDocuments(of: [image], format: format)
            try await ImageStoreExporter(blobs: fixture.blobs, names: fixture.names, scratch: fixture.scratch).write(
                documents, [image], names: format.names)
            let contents = try PushContents(of: documents.descriptor, in: fixture.blobs)
            #expect(contents.documents.map(\.bytes) == [documents.images[0].manifest.bytes, documents.index?.bytes])
            #expect(contents.blobs.count == image.layers.count + 1)
            let missing = Descriptor(
                mediaType: .ociManifest, digest: Digest(hashing: "missing"), size: 7)
            let index = Index(manifests: [missing]).encoded()
            try fixture.blobs.store(index, in: fixture.scratch)
            let error = #expect(throws: BuildError.self) {
                try PushContents(of: Descriptor(of: index, as: .ociIndex), in: fixture.blobs)
            }
            #expect(error?.code.rawValue == "blob-missing")
        }
    }

    @Test("a name pushed by its digest is kept by its digest")
    func byDigest() throws {
        let digest = Digest(hashing: "image")
        var options = ImageStoreOptions(format: ImageFormat(names: [try reference("r.example/a")]))
        options.addsCanonicalNames = true
        #expect(
            options.storedNames(digest).map(\.description) == ["r.example/a:latest", "r.example/a:latest@\(digest)"])
        options.push = ImagePushOptions(isByDigest: true)
        #expect(options.storedNames(digest).map(\.description) == ["r.example/a@\(digest)"])
    }

    @Test("outputs of images are pushed with --push, and without any one is added")
    func plan() throws {
        let tag = try reference("r.example/a:1")
        let added = try OutputPlan(values: ["type=local,dest=x"], tags: [tag], pushes: true)
        #expect(added.outputs.count == 2)
        #expect(added.pushes.map(\.format.names) == [[tag]])
        let changed = try OutputPlan(values: ["type=image,store=false,push=true"], tags: [tag], pushes: true)
        #expect(changed.outputs.count == 1)
        #expect(changed.pushes.map(\.stores) == [false])
        let nameless = try OutputPlan(values: ["type=registry"], tags: [])
        #expect(throws: BuildError.self) {
            try nameless.check(standardOutputIsTerminal: false, writesImageID: false)
        }
        let tagged = try OutputPlan(values: ["type=registry,push-by-digest=true"], tags: [tag])
        let error = #expect(throws: BuildError.self) {
            try tagged.check(standardOutputIsTerminal: false, writesImageID: false)
        }
        #expect(error?.message == "'r.example/a:1' has a tag, and 'push-by-digest' pushes none")
    }
}
