import Testing
import WhittleCore
import WhittleExport
import WhittleOCI

@Suite("ExporterOptions.init(parsing:)")
struct ExporterOptionsTests {
    struct Accepted: CustomTestStringConvertible, Sendable {
        let text: String
        let options: ExporterOptions
        var testDescription: String { text }
        init(_ text: String, _ options: ExporterOptions) { (self.text, self.options) = (text, options) }
    }

    static func name(_ text: String) -> ImageReference {
        guard let name = try? ImageReference(parsing: text) else { preconditionFailure("a test's own name") }
        return name
    }

    static func oci(
        _ destination: ImageLayoutOptions.Destination, _ format: ImageFormat = ImageFormat()
    ) -> ExporterOptions {
        .oci(ImageLayoutOptions(format: format, destination: destination))
    }

    static let out = ImageLayoutOptions.Destination.archive(.file(path: "o.tar"))

    static let accepted: [Accepted] = [
        Accepted("out", .local(LocalOptions(directory: "out"))),
        Accepted("./a=b", .local(LocalOptions(directory: "./a=b"))),
        Accepted("-", .tar(TarOptions(destination: .standardOutput))),
        Accepted("type=local,dest=out", .local(LocalOptions(directory: "out"))),
        Accepted("type=local,dest=out,mode=copy", .local(LocalOptions(directory: "out"))),
        Accepted("type=tar", .tar(TarOptions(destination: .standardOutput))),
        Accepted("type=tar,dest=-", .tar(TarOptions(destination: .standardOutput))),
        Accepted("dest=a.tar,type=tar", .tar(TarOptions(destination: .file(path: "a.tar")))),
        Accepted("\"type=tar\",\"dest=a,b.tar\"", .tar(TarOptions(destination: .file(path: "a,b.tar")))),
        Accepted("type=cacheonly", .cacheOnly),
        Accepted("type=image", .image(ImageStoreOptions())),
        Accepted("type=image,push=false,unpack=true,store=1", .image(ImageStoreOptions())),
        Accepted(
            "type=image,\"name=a,ghcr.io/b/c:1\",name=a:latest",
            .image(ImageStoreOptions(format: ImageFormat(names: [name("a"), name("ghcr.io/b/c:1")])))),
        Accepted("type=oci", oci(.archive(.standardOutput))),
        Accepted("type=oci,dest=o.tar", oci(out)),
        Accepted(" Type=oci, DEST=o.tar", oci(out)),
        Accepted("type=oci,tar=,dest=o.tar", oci(out)),
        Accepted("type=oci,tar=false,dest=layout", oci(.directory(path: "layout"))),
        Accepted("type=oci,dest=o.tar,name=a,name=b", oci(out, ImageFormat(names: [name("a"), name("b")]))),
        Accepted(
            "type=oci,dest=o.tar,compression=zstd,compression-level=19,force-compression=",
            oci(out, ImageFormat(compression: LayerCompression(.zstd, level: 19, isForced: true)))),
        Accepted(
            "type=oci,dest=o.tar,compression=uncompressed",
            oci(out, ImageFormat(compression: LayerCompression(.uncompressed)))),
        Accepted(
            "type=docker,dest=o.tar,compression-level=0,oci-mediatypes=False",
            .docker(
                ImageLayoutOptions(
                    format: ImageFormat(compression: LayerCompression(.gzip, level: 0), usesOCIMediaTypes: false),
                    destination: out))),
        Accepted(
            "type=oci,dest=o.tar,annotation.org.Example=a=b,annotation-manifest-descriptor.x.y=,annotation-manifest.z=1",
            oci(
                out,
                ImageFormat(
                    annotations: ImageAnnotations(
                        manifest: ["org.Example": "a=b", "z": "1"], manifestDescriptor: ["x.y": ""])))),
    ]

    @Test("understands what BuildKit does", arguments: accepted)
    func accepts(_ example: Accepted) throws {
        #expect(try ExporterOptions(parsing: example.text) == example.options)
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let text: String
        let code: BuildError.Code
        let message: String
        let hint: String?
        var testDescription: String { text }
        init(_ text: String, _ code: BuildError.Code = .invalidOutput, _ message: String, hint: String? = nil) {
            (self.text, self.code, self.message, self.hint) = (text, code, message, hint)
        }
    }

    static let rejected: [Rejected] = [
        Rejected(
            "type=oic", .invalidOutput, "invalid output 'type=oic': there is no output type 'oic'",
            hint: "did you mean 'type=oci'?"),
        Rejected(
            "type=squashfs", .invalidOutput, "invalid output 'type=squashfs': there is no output type 'squashfs'",
            hint: "the types are image, registry, oci, docker, local, tar, cacheonly"),
        Rejected(
            "dest=a.tar", .invalidOutput, "invalid output 'dest=a.tar': it does not say its type",
            hint: "add one, for example 'type=oci,dest=a.tar'; for a directory of that name, write './dest=a.tar'"),
        Rejected(
            "tpye=oci", .invalidOutput, "invalid output 'tpye=oci': it does not say its type",
            hint: "add one, for example 'type=oci,tpye=oci'; for a directory of that name, write './tpye=oci'"),
        Rejected(
            "dest=a,name=b", .invalidOutput, "invalid output 'dest=a,name=b': it does not say its type",
            hint: "add one, for example 'type=oci,dest=a,name=b'; for a directory of that name, write './dest=a,name=b'"
        ),
        Rejected(
            "type=oci,dst=a", .invalidOutput, "invalid output 'type=oci,dst=a': the oci output has no option 'dst'",
            hint: "did you mean 'dest'?"),
        Rejected(
            "type=tar,name=a", .invalidOutput, "invalid output 'type=tar,name=a': the tar output has no option 'name'",
            hint: "its options are dest, platform-split"),
        Rejected(
            "type=cacheonly,dest=a", .invalidOutput,
            "invalid output 'type=cacheonly,dest=a': the cacheonly output has no option 'dest'",
            hint: "it has no options"),
        Rejected(
            "type=image,push", .invalidOutput, "invalid output 'type=image,push': 'push' is no KEY=VALUE",
            hint: "did you mean 'push=true'?"),
        Rejected(
            "type=image,nonsense", .invalidOutput, "invalid output 'type=image,nonsense': 'nonsense' is no KEY=VALUE"),
        Rejected(
            "type=oci,name=\"a,b\"", .invalidOutput,
            "invalid output 'type=oci,name=\"a,b\"': a double quote stands inside a field that does not begin with one",
            hint: "quote the whole of KEY=VALUE where a value has commas: \"name=a,b\""),
        Rejected(
            "type=oci,dest=a,dest=b", .invalidOutput,
            "invalid output 'type=oci,dest=a,dest=b': 'dest' is given twice: 'a' and 'b'"),
        Rejected(
            "type=local", .invalidOutput, "invalid output 'type=local': the local output needs a destination",
            hint: "add 'dest=PATH'"),
        Rejected(
            "type=local,dest=-", .invalidOutput,
            "invalid output 'type=local,dest=-': a directory cannot be written to standard output",
            hint: "use 'type=tar' for one stream, or name a directory with 'dest=DIR'"),
        Rejected(
            "type=local,dest=a,mode=delete", .unsupportedOutput,
            "cannot do output 'type=local,dest=a,mode=delete': mode=delete is not supported yet"),
        Rejected(
            "type=local,dest=a,mode=move", .invalidOutput,
            "invalid output 'type=local,dest=a,mode=move': 'mode' must be copy, found 'move'"),
        Rejected(
            "type=oci,tar=false", .invalidOutput,
            "invalid output 'type=oci,tar=false': the oci output needs a destination", hint: "add 'dest=PATH'"),
        Rejected(
            "type=oci,tar=false,dest=-", .invalidOutput,
            "invalid output 'type=oci,tar=false,dest=-': a directory cannot be written to standard output",
            hint: "leave out 'tar=false', or name a directory with 'dest=DIR'"),
        Rejected(
            "type=oci,tar=maybe", .invalidOutput,
            "invalid output 'type=oci,tar=maybe': 'tar' must be true or false, found 'maybe'"),
        Rejected(
            "type=oci,compression=gzib", .invalidOutput,
            "invalid output 'type=oci,compression=gzib': there is no compression 'gzib'", hint: "did you mean 'gzip'?"),
        Rejected(
            "type=oci,compression=xz", .invalidOutput,
            "invalid output 'type=oci,compression=xz': there is no compression 'xz'",
            hint: "use gzip, zstd or uncompressed"),
        Rejected(
            "type=oci,compression=estargz", .unsupportedOutput,
            "cannot do output 'type=oci,compression=estargz': compression=estargz is not supported yet",
            hint: "gzip, zstd and uncompressed are supported"),
        Rejected(
            "type=oci,compression-level=10", .invalidOutput,
            "invalid output 'type=oci,compression-level=10': 'compression-level' of gzip must be a number from 0 to 9, "
                + "found '10'"),
        Rejected(
            "type=oci,compression=zstd,compression-level=-1", .invalidOutput,
            "invalid output 'type=oci,compression=zstd,compression-level=-1': 'compression-level' of zstd must be a "
                + "number from 0 to 22, found '-1'"),
        Rejected(
            "type=oci,compression=uncompressed,compression-level=1", .invalidOutput,
            "invalid output 'type=oci,compression=uncompressed,compression-level=1': 'compression-level' contradicts "
                + "'compression=uncompressed'"),
        Rejected(
            "type=oci,compression=zstd,oci-mediatypes=false", .invalidOutput,
            "invalid output 'type=oci,compression=zstd,oci-mediatypes=false': 'compression=zstd' contradicts "
                + "'oci-mediatypes=false'",
            hint: "only OCI's media types have layers of zstd; leave out one of the two"),
        Rejected(
            "type=oci,annotation.a=b,oci-mediatypes=false", .invalidOutput,
            "invalid output 'type=oci,annotation.a=b,oci-mediatypes=false': annotations contradict "
                + "'oci-mediatypes=false'",
            hint: "only OCI's manifests have annotations; leave out one of the two"),
        Rejected(
            "type=oci,annotation-manifets.a=b", .invalidOutput,
            "invalid output 'type=oci,annotation-manifets.a=b': no annotation can be at 'annotation-manifets'",
            hint: "did you mean 'annotation-manifest'?"),
        Rejected(
            "type=oci,annotation[linux/].a=b", .invalidOutput,
            "invalid output 'type=oci,annotation[linux/].a=b': no annotation can be at 'annotation[linux/]'",
            hint: "use 'annotation.a' or 'annotation-manifest-descriptor.a'"),
        Rejected(
            "type=image,name=UP", .invalidImageReference,
            "invalid image name 'UP': the repository must be lower case", hint: "did you mean 'up'?"),
        Rejected(
            "type=image,name=a@sha256:" + String(repeating: "0", count: 64), .invalidOutput,
            "invalid output 'type=image,name=a@sha256:\(String(repeating: "0", count: 64))': the name 'a@sha256:"
                + String(repeating: "0", count: 64) + "' has a digest",
            hint: "the digest of an image is known only after it is built; give it a tag"),
        Rejected(
            "type=image,push-by-digest=true", .invalidOutput,
            "invalid output 'type=image,push-by-digest=true': 'push-by-digest' has no effect without a push",
            hint: "add 'push=true'"),
        Rejected(
            "type=image,store=false", .invalidOutput,
            "invalid output 'type=image,store=false': the image would go nowhere: 'store=false' and no push",
            hint: "add 'push=true', or build with type=cacheonly"),
        Rejected(
            "type=registry,push=false", .invalidOutput,
            "invalid output 'type=registry,push=false': 'push=false' contradicts 'type=registry'",
            hint: "type=image keeps the image in the store"),
        Rejected(
            "type=registry,push-by-digets=1", .invalidOutput,
            "invalid output 'type=registry,push-by-digets=1': the registry output has no option 'push-by-digets'",
            hint: "did you mean 'push-by-digest'?"),
    ]

    @Test("says what is wrong with a value, and what to write", arguments: rejected)
    func rejects(_ example: Rejected) {
        do throws(BuildError) {
            let options = try ExporterOptions(parsing: example.text)
            Issue.record("accepted as \(options)")
        } catch {
            #expect(error.code == example.code)
            #expect(error.message == example.message)
            #expect(error.hint == example.hint)
        }
    }

    @Test("gives tags to images, in front of their own names and once")
    func tags() throws {
        let tags = [Self.name("t:1"), Self.name("a")]
        let named = try ExporterOptions(parsing: "type=oci,\"name=a,b\"").named(tags)
        #expect(named.imageFormat?.names == [Self.name("t:1"), Self.name("a"), Self.name("b")])
        #expect(ExporterOptions.cacheOnly.named(tags) == .cacheOnly)
    }
}
