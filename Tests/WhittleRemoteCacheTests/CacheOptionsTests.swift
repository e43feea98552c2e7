import Testing
import WhittleArchive
import WhittleCore
import WhittleRemoteCache

@Suite("Cache options")
struct CacheOptionsTests {
    static let environment = [
        "ACTIONS_CACHE_URL": "https://cache/", "ACTIONS_RESULTS_URL": "https://results/",
        "ACTIONS_RUNTIME_TOKEN": "secret-token", "ACTIONS_CACHE_SERVICE_V2": "true", "AWS_REGION": "eu-1",
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hidden",
    ]

    @Test("of --cache-from in all forms")
    func imports() throws {
        func parse(_ text: String) throws -> [CacheImport] {
            try CacheImport.parse(text, environment: Self.environment)
        }
        #expect(
            try parse("ghcr.io/a/b:c") == [CacheImport(place: .registry(RegistryCache(reference: "ghcr.io/a/b:c")))])
        #expect(try parse("a,b").map(\.place.name) == ["the registry cache 'a'", "the registry cache 'b'"])
        let registry = try parse("type=registry,ref=x:y,registry.insecure=true,mounts=all,timeout=90s")[0]
        #expect(registry.place == .registry(RegistryCache(reference: "x:y", isInsecure: true)))
        #expect(registry.mounts == .all)
        #expect(registry.timeout == .seconds(90))
        #expect(try parse("type=registry,ref=x,mounts=a,b")[0].mounts == .some(["a", "b"]))
        #expect(try parse("type=registry,ref=x,mounts=a;b,mode=max")[0].mounts == .some(["a", "b"]))
        #expect(try parse("Type=local, SRC=dir,tag=t")[0].place == .local(LocalCache(directory: "dir", tag: "t")))
        let digest = "sha256:" + String(repeating: "a", count: 64)
        guard case .local(let local) = try parse("type=local,src=d,digest=\(digest)")[0].place else {
            Issue.record("not a local cache")
            return
        }
        #expect(local.digest.map { "\($0)" } == digest)
    }

    @Test("of GitHub and S3 are completed by the environment")
    func environment() throws {
        guard
            case .gitHub(let gitHub) = try CacheImport.parse("type=gha,scope=s", environment: Self.environment)[0].place,
            case .s3(let s3) = try CacheExport.parse(
                "type=s3,bucket=b,name=x;y,prefix=p/,use_path_style=true,upload_parallelism=7",
                environment: Self.environment)[0].place
        else {
            Issue.record("other places")
            return
        }
        #expect(gitHub.scope == "s")
        #expect(gitHub.url == "https://cache/")
        #expect(gitHub.urlV2 == "https://results/")
        #expect(gitHub.version == 2)
        #expect(gitHub.token?.revealed == "secret-token")
        #expect(s3.region == "eu-1")
        #expect(s3.names == ["x", "y"])
        #expect(s3.prefix == "p/")
        #expect(s3.usesPathStyle)
        #expect(s3.uploadParallelism == 7)
        #expect(s3.accessKeyID == "key")
        #expect(s3.secretAccessKey?.revealed == "hidden")
    }

    @Test("of --cache-to in all forms")
    func exports() throws {
        func parse(_ text: String) throws -> CacheExport { try CacheExport.parse(text, environment: [:])[0] }
        #expect(try parse("x:y") == CacheExport(place: .registry(RegistryCache(reference: "x:y"))))
        #expect(try parse("type=inline").place == .inline)
        let all = try parse("type=registry,ref=x,mode=max,compression=zstd,compression-level=5,ignore-error=false")
        #expect(all.mode == .maximal)
        #expect(all.compression == .zstd(level: 5))
        #expect(all.manifestForm == .imageManifest)
        #expect(try parse("type=registry,ref=x,image-manifest=false").manifestForm == .index(isDocker: false))
        #expect(try parse("type=registry,ref=x,oci-mediatypes=false").manifestForm == .index(isDocker: true))
        #expect(try parse("type=local,dest=d,reset=true").place == .local(LocalCache(directory: "d", resets: true)))
        #expect(try parse("type=local,dest=d,compression=uncompressed").compression == Compression.none)
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let text: String
        let message: String
        let hint: String?
        var code = BuildError.Code.invalidCacheOption
        var testDescription: String { text }
    }

    static let rejected: [Rejected] = [
        Rejected(text: "", message: "it is empty", hint: nil),
        Rejected(text: "ref=x", message: "it does not say its type", hint: "add 'type=registry', for example"),
        Rejected(
            text: "type=regsitry,ref=x", message: "no cache type 'regsitry'", hint: "did you mean 'type=registry'?"),
        Rejected(text: "type=registry", message: "it has no 'ref'", hint: "add 'ref=REGISTRY/NAME:TAG'"),
        Rejected(text: "type=registry,ref=x,rfe=y", message: "no option 'rfe'", hint: "did you mean 'ref'?"),
        Rejected(text: "type=registry,ref=x,ref=y", message: "'ref' is given twice", hint: nil),
        Rejected(text: "type=registry,x", message: "'x' is no KEY=VALUE", hint: nil),
        Rejected(text: "type=registry,ref=x,mode=all", message: "'mode' must be min or max, found 'all'", hint: nil),
        Rejected(
            text: "type=inline,mode=max", message: "an image carries the cache of its own layers only",
            hint: "leave out 'mode=max', or keep the cache beside the image with 'type=registry,ref=…,mode=max'"),
        Rejected(text: "type=local", message: "it has no 'dest'", hint: "add 'dest=DIR'"),
        Rejected(
            text: "type=registry,ref=x,timeout=soon", message: "'timeout' must be a time, found 'soon'",
            hint: "write it like 'timeout=90s' or 'timeout=5m'"),
        Rejected(
            text: "type=registry,ref=x,oci-mediatypes=false,image-manifest=true",
            message: "'image-manifest' contradicts 'oci-mediatypes=false'", hint: "leave out one of them"),
        Rejected(
            text: "type=s3,bucket=b", message: "it has no 'region'", hint: "add 'region=NAME', or set $AWS_REGION"),
        Rejected(
            text: "type=azblob,name=x", message: "Azure Blob Storage is not supported",
            hint: "use type=registry with a registry of Azure, or type=s3 with a service that speaks S3",
            code: .unsupportedCache),
    ]

    @Test("that cannot be meant are errors", arguments: rejected)
    func rejects(_ example: Rejected) {
        let error = #expect(throws: BuildError.self) { try CacheExport.parse(example.text, environment: [:]) }
        #expect(error?.code == example.code)
        #expect(error?.message.contains(example.message) == true, "\(error?.message ?? "")")
        #expect(error?.hint == example.hint || example.hint == nil)
    }

    @Test("show no secrets in errors")
    func secrets() {
        let error = #expect(throws: BuildError.self) {
            try CacheExport.parse("type=gha,token=hunter2,ghtoken=hunter3,nonsense=1", environment: [:])
        }
        #expect(error?.message.contains("hunter") == false)
        #expect(error?.message.contains("token=…") == true)
    }

    @Test("of an inline cache belong to the image when it is read")
    func inlineImport() {
        let error = #expect(throws: BuildError.self) { try CacheImport.parse("type=inline", environment: [:]) }
        #expect(error?.hint == "write 'type=registry,ref=IMAGE', which reads the cache of an image as well")
    }
}
