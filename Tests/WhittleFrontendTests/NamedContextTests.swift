import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph
import WhittleOCI

@Suite("Named contexts")
struct NamedContextTests {
    private static let digest = Digest(hashing: "x")

    static let accepted: [(String, String, NamedContext)] = [
        ("src=../shared", "src", .directory(path: "../shared", ignore: IgnoreRules())),
        ("src=.", "src", .directory(path: ".", ignore: IgnoreRules())),
        ("a=b=c", "a", .directory(path: "b=c", ignore: IgnoreRules())),
        ("node=docker-image://scratch", "node", .scratch),
        ("docker.io/library/node:latest=x", "node", .directory(path: "x", ignore: IgnoreRules())),
        ("node:16=oci-layout:///images", "node:16", .layout(LayoutReference(path: "/images"))),
        ("n=oci-layout://dir:16-alpine", "n", .layout(LayoutReference(path: "dir", tag: "16-alpine"))),
        ("n=oci-layout:///l/dir:node:16", "n", .layout(LayoutReference(path: "/l/dir", tag: "node:16"))),
        ("n=oci-layout://a:b/dir", "n", .layout(LayoutReference(path: "a:b/dir"))),
        (
            "n=oci-layout://dir:t@\(digest)", "n",
            .layout(LayoutReference(path: "dir", tag: "t", digest: digest))
        ),
    ]

    @Test("--build-context is read", arguments: accepted)
    func parsing(argument: String, name: String, context: NamedContext) throws {
        let parsed = try NamedContext.parse(argument)
        #expect(parsed.name == name)
        #expect(parsed.context == context)
    }

    @Test("docker-image:// names an image")
    func image() throws {
        let parsed = try NamedContext.parse("n=docker-image://example.com/a:1")
        #expect(parsed.context == .image(try ImageReference(parsing: "example.com/a:1")))
    }

    static let rejected: [(String, String)] = [
        ("", "invalid-build-context: --build-context '': expected NAME=VALUE"),
        ("name", "invalid-build-context: --build-context 'name': expected NAME=VALUE"),
        ("=x", "invalid-build-context: --build-context '=x': expected NAME=VALUE"),
        ("n=", "invalid-build-context: --build-context 'n=': there is no value after '='"),
        ("N=x", "invalid-build-context: --build-context 'N=x': 'N' cannot be the name of a stage or image"),
        ("scratch=x", "invalid-build-context: --build-context 'scratch=x': the name 'scratch' is reserved"),
        (
            "n=oci-layout://:t",
            "invalid-build-context: --build-context 'n=oci-layout://:t': expected oci-layout://PATH[:TAG][@DIGEST]"
        ),
        (
            "n=oci-layout://d@sha256:1",
            "invalid-build-context: --build-context 'n=oci-layout://d@sha256:1': 'sha256:1' is no digest"
        ),
        (
            "n=docker-image://A", "invalid-image-reference: invalid image name 'A': the repository must be lower case"
        ),
        (
            "n=https://user:secret@example.com/a.git?x=1",
            "invalid-git-address: reading the address of a git repository: the query has no option 'x'"
        ),
        (
            "n=target:x", "not-supported: --build-context with another target is not supported yet"
        ),
    ]

    @Test("what --build-context cannot be is refused with its reason", arguments: rejected)
    func refusal(argument: String, summary: String) throws {
        let error = #expect(throws: BuildError.self) { try NamedContext.parse(argument) }
        #expect(error?.summary.hasPrefix(summary) == true)
        #expect(error?.description.contains("secret") == false)
    }

    private func options(_ contexts: [String: NamedContext]) -> BuildOptions { BuildOptions(namedContexts: contexts) }
    private let files = NamedContext.directory(path: "/x", ignore: IgnoreRules(patterns: ["a"], file: ".dockerignore"))

    @Test("a context replaces an image in FROM and --from, however the image is written")
    func replacesImage() async throws {
        let contexts = ["alpine": NamedContext.layout(LayoutReference(path: "/l"))]
        for name in ["alpine", "alpine:latest", "docker.io/library/alpine"] {
            let lowered = try await lower("FROM \(name)\nCOPY --from=\(name) /a /b", options(contexts))
            #expect(lowered.resolver.requests == ["oci-layout:///l \(Platform.host)"])
            #expect(lowered.chainNames.first?.hasPrefix("[context alpine] oci-layout:///l@sha256:") == true)
        }
        let other = try await lower("FROM alpine:3.18", options(contexts))
        #expect(other.resolver.requests == ["alpine:3.18 \(Platform.host)"])
    }

    @Test("a context replaces a whole stage")
    func replacesStage() async throws {
        let text = """
            FROM missing AS builder
            RUN build
            COPY --from=missing2 /a /b
            FROM scratch
            COPY --from=builder /out /
            """
        let directory = try await lower(text, options(["builder": files]))
        #expect(directory.resolver.requests.isEmpty)
        #expect(directory.names == ["[context builder] load from client", "[stage-1 1/1] COPY --from=builder /out /"])
        let source = try directory.vertex("load from client").op
        #expect(
            source
                == .source(
                    .local(LocalSource(name: "builder", ignorePatterns: ["a"], ignoreFile: ".dockerignore"))))
        let image = try await lower(text, options(["builder": .image(try ImageReference(parsing: "prebuilt:1"))]))
        #expect(image.resolver.requests == ["prebuilt:1 \(Platform.host)"])
    }

    @Test("files of a replaced stage are there for stages above it too")
    func replacedLater() async throws {
        let lowered = try await lower(
            "FROM scratch\nCOPY --from=late /a /a\nFROM alpine AS late\nRUN true",
            BuildOptions(target: "0", namedContexts: ["late": files]))
        #expect(lowered.plan.localSources == ["late"])
        let image = try await lower(
            "FROM scratch\nCOPY --from=late /a /a\nFROM alpine AS late\nRUN true",
            BuildOptions(target: "0", namedContexts: ["late": .image(try ImageReference(parsing: "x"))]))
        #expect(image.resolver.requests == ["x:latest \(Platform.host)"])
    }

    @Test("FROM a directory begins with its files as a layer")
    func fromDirectory() async throws {
        let lowered = try await lower("FROM rootfs\nRUN true", options(["rootfs": files]))
        #expect(lowered.chainNames == ["[1/2] FROM rootfs", "[2/2] RUN true"])
        #expect(lowered.copies == [CopyAction(input: 0, sources: ["/"], destination: "/")])
        #expect(lowered.history.first == "FROM rootfs")
        #expect(lowered.plan.localSources == ["rootfs"])
    }

    @Test("a context is mounted by its name")
    func mounted() async throws {
        let lowered = try await lower(
            "FROM alpine\nRUN --mount=from=files,target=/f true", options(["files": files]))
        #expect(lowered.plan.localSources == ["files"])
    }

    @Test("FROM a scratch context is empty")
    func scratch() async throws {
        let lowered = try await lower("FROM alpine\nCOPY a /a", options(["alpine": .scratch]))
        #expect(lowered.resolver.requests.isEmpty)
        #expect(lowered.chain.count == 1)
    }
}
