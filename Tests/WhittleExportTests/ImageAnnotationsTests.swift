import Testing
import WhittleCore
import WhittleExport
import WhittleOCI

@Suite("Annotations of an image")
struct ImageAnnotationsTests {
    private static let arm = Platform(os: "linux", architecture: "arm64")

    @Test("--annotation says the place, several places, and a platform")
    func places() throws {
        let annotations = try ImageAnnotations(parsing: [
            "a=1", "manifest:b=x=y", "manifest-descriptor,index:c=3", "index-descriptor:d=4",
            "manifest[linux/arm64]:e=5",
        ])
        #expect(annotations.manifest == ["a": "1", "b": "x=y"])
        #expect(annotations.manifestDescriptor == ["c": "3"])
        #expect(annotations.index == ["c": "3"] && annotations.indexDescriptor == ["d": "4"])
        #expect(annotations.platforms == [Self.arm])
    }

    @Test(
        "--annotation refuses what is none",
        arguments: [
            ("a", "it is no KEY=VALUE"), ("=a", "it is no KEY=VALUE"), ("manifest:=a", "'' is no key"),
            ("a b=c", "'a b' is no key"), ("mainfest:a=b", "no annotation can be at 'mainfest'"),
            ("manifest[x/y/z/w]:a=b", "no annotation can be at 'manifest[x/y/z/w]'"),
            ("manifest,:a=b", "no annotation can be at ''"),
        ])
    func rejected(text: String, message: String) {
        let error = #expect(throws: BuildError.self) { try ImageAnnotations(parsing: [text]) }
        #expect(error?.message.hasSuffix(message) == true && error?.code == .invalidAnnotation)
    }

    @Test("they are for every image, win over the output's own, and need something to be on")
    func plan() throws {
        let annotations = try ImageAnnotations(parsing: ["a=1"])
        let plan = try OutputPlan(
            values: ["type=oci,dest=o,annotation.a=0,annotation.b=0", "type=image,oci-mediatypes=false", "out"],
            tags: [],
            annotations: annotations)
        #expect(plan.imageFormats.map(\.annotations.manifest) == [["a": "1", "b": "0"], [:]])
        let none = #expect(throws: BuildError.self) {
            try OutputPlan(values: ["out"], tags: [], annotations: annotations)
        }
        #expect(none?.message == "--annotation is given, but no output is an image in OCI's form")
        let index = #expect(throws: BuildError.self) {
            try OutputPlan(values: ["type=oci,dest=o,annotation-index.k=v"], tags: [])
        }
        #expect(
            index?.message == "the annotation 'k' is for an index, and an image for one platform has none")
        let made = try OutputPlan(
            values: ["type=oci,dest=o,annotation-index.k=v,annotation-manifest[linux/arm64].p=q"], tags: [],
            makesIndex: true)
        #expect(made.imageFormats[0].annotations.index == ["k": "v"] && made.imageFormats[0].makesIndex)
    }

    @Test("an index has the manifest with its platform, and the annotations where they belong")
    func index() throws {
        var format = ImageFormat(
            annotations: try ImageAnnotations(parsing: [
                "index:i=1", "index-descriptor:j=2", "manifest-descriptor:k=3", "manifest[linux/arm64]:l=4",
                "manifest[linux/amd64]:m=5",
            ]))
        format.makesIndex = true
        let image = ExportImage(configuration: ImageConfiguration(platform: Self.arm), layers: [])
        let documents = ImageDocuments(of: [image], format: format)
        let index = try Index(parsing: try #require(documents.index).bytes)
        #expect(index.annotations == ["i": "1"] && index.manifests == [documents.images[0].descriptor])
        #expect(documents.images[0].descriptor.annotations == ["k": "3"])
        #expect(documents.images[0].descriptor.platform == Self.arm)
        #expect(documents.descriptor.annotations == ["j": "2"] && documents.descriptor.mediaType == .ociIndex)
        #expect(documents.descriptor.digest == Digest(hashing: try #require(documents.index).bytes))
        #expect(try Manifest(parsing: documents.images[0].manifest.bytes).annotations == ["l": "4"])
        format.usesOCIMediaTypes = false
        format.annotations = ImageAnnotations()
        #expect(ImageDocuments(of: [image], format: format).descriptor.mediaType == .dockerList)
    }
}
