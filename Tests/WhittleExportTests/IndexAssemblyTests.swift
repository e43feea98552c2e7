import Testing
import WhittleCore
import WhittleOCI
import WhittleRegistry

@testable import WhittleExport

@Suite("IndexAssembly")
struct IndexAssemblyTests {
    static let amd64 = Platform(os: "linux", architecture: "amd64")
    static let arm64 = Platform(os: "linux", architecture: "arm64")

    static func entry(
        _ text: String, _ platform: Platform?, _ type: MediaType = .ociManifest, about image: Descriptor? = nil
    ) -> Descriptor {
        var entry = Descriptor(of: Array(text.utf8), as: type)
        entry.platform = platform
        if let image {
            entry.annotations = [
                "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "\(image.digest)",
            ]
        }
        return entry
    }

    /// An index with these entries; the images themselves do not matter here.
    static func list(_ entries: [Descriptor]) -> ImageTree {
        let bytes = Index(manifests: entries).encoded()
        return ImageTree(
            index: ImageTree.Document(descriptor: Descriptor(of: bytes, as: .ociIndex), bytes: bytes), over: [])
    }

    static func entries(_ trees: [ImageTree], _ annotations: ImageAnnotations = ImageAnnotations()) throws -> Index {
        var assembly = IndexAssembly()
        for tree in trees { try assembly.add(tree, platform: nil) }
        let document = assembly.document(annotations)
        #expect(document.descriptor == Descriptor(of: document.bytes, as: document.descriptor.mediaType))
        return try Index(parsing: document.bytes, mediaType: document.descriptor.mediaType)
    }

    @Test("a later image takes the place of an earlier one for its platform, and of what was said about that")
    func replacing() throws {
        let old = Self.entry("old", Self.arm64)
        let other = Self.entry("other", Self.amd64)
        let said = Self.entry("said", nil, about: old)
        let kept = Self.entry("kept", nil, about: other)
        let new = Self.entry("new", Self.arm64)
        let found = try Self.entries([Self.list([old, other, said, kept]), Self.list([new])])
        #expect(found.manifests == [other, kept, new])
    }

    @Test("the same image twice is one entry, and what is said about it stays")
    func twice() throws {
        let image = Self.entry("image", Self.arm64)
        let said = Self.entry("said", nil, about: image)
        let found = try Self.entries([Self.list([image, said]), Self.list([image])])
        #expect(Set(found.manifests) == [image, said])
        #expect(found.manifests.count == 2)
    }

    @Test("images of Docker alone make Docker's list, unless something is said about them")
    func types() throws {
        let docker = Self.entry("d", Self.amd64, .dockerManifest)
        #expect(try Self.entries([Self.list([docker])]).mediaType == .dockerList)
        #expect(try Self.entries([Self.list([docker, Self.entry("o", Self.arm64)])]).mediaType == .ociIndex)
        let annotated = try Self.entries([Self.list([docker])], ImageAnnotations(parsing: ["index:a=b"]))
        #expect(annotated.mediaType == .ociIndex)
        #expect(annotated.annotations == ["a": "b"])
        let entry = try Self.entries(
            [Self.list([docker])], ImageAnnotations(parsing: ["manifest-descriptor[linux/amd64]:c=d"]))
        #expect(entry.manifests[0].annotations == ["c": "d"])
        #expect(entry.mediaType == .ociIndex)
    }
}
