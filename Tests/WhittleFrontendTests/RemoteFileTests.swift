import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleFrontend

@Suite("ADD of URLs")
struct RemoteFileTests {
    @Test(
        "the file's name is the last part of the path, decoded",
        arguments: [
            ("https://a/b/c.txt", "c.txt"), ("http://a/b%20c?x=/y#z", "b c"), ("https://a/b/", "b"),
            ("https://a/x%2Fy", "y"), ("https://a", nil), ("https://a/", nil), ("https://a?x=/y", nil),
            ("https://a/..", nil), ("https://a/%2e%2E", nil), ("https://a/%00", nil), ("https://a/%zz", nil),
            ("https://a/%ff", nil), ("https://a:80/b", "b"),
        ] as [(String, String?)])
    func fileName(url: String, name: String?) { #expect(RemoteSource.fileName(ofURL: url) == name) }

    @Test("sources of all kinds are copied in their order, each URL from a vertex of its own")
    func order() async throws {
        let plan = try await lower(
            "FROM scratch\nARG H=https://h\nADD a b $H/c[1] d <<e /x/\ntext\ne\n")
        let vertex = try #require(plan.definition.vertices.last)
        guard case .file(let op) = vertex.op else {
            Issue.record("no file op")
            return
        }
        let copies = op.actions.compactMap { action in if case .copy(let copy) = action { copy } else { nil } }
        #expect(copies.map(\.sources) == [["/a", "/b"], ["/c\\[1]"], ["/d"], ["/e"]])
        #expect(copies.map(\.unpacks) == [.archives, .never, .archives, .never])
        #expect(copies[0].input == copies[2].input)
        let source = plan.definition.vertex(vertex.inputs[copies[1].input].vertex)
        #expect(source?.op == .source(.http(HTTPSource(url: Redacted("https://h/c[1]"), fileName: "c[1]"))))
    }

    @Test("--unpack and --checksum reach the download, and --unpack=false leaves it as it is")
    func flags() async throws {
        let digest = Digest(hashing: "x")
        for (flag, mode) in [("--unpack=true", CopyAction.UnpackMode.archives), ("--unpack=false", .never)] {
            let plan = try await lower("FROM scratch\nADD \(flag) --checksum=\(digest) https://h/c /x/\n")
            guard case .file(let op) = plan.definition.vertices.last?.op, case .copy(let copy) = op.actions.first,
                case .source(.http(let source)) = plan.definition.vertices.first?.op
            else {
                Issue.record("no download")
                return
            }
            #expect(copy.unpacks == mode)
            #expect(source.checksum == digest)
        }
    }

    @Test("what is shown of a URL has no user, password or query")
    func shown() async throws {
        let plan = try await lower("FROM scratch\nADD https://u:p@h/c?s=secret#f /x\n")
        #expect(plan.definition.vertices.first?.metadata.name == "[internal] download https://h/c?…")
    }

    @Test("a named context that is a URL is one file, in FROM and --from")
    func namedContext() async throws {
        let (name, context) = try NamedContext.parse("web=https://h/data.tar")
        let source = HTTPSource(url: Redacted("https://h/data.tar"), fileName: "context")
        #expect(name == "web" && context == .http(source))
        let options = BuildOptions(namedContexts: [name: context])
        for text in ["FROM web\n", "FROM scratch\nCOPY --from=web context /\n", "FROM scratch AS web\nFROM web\n"] {
            let plan = try await lower(text, options)
            #expect(plan.definition.vertices.first?.op == .source(.http(source)))
            #expect(plan.definition.vertices.count == 2)
        }
    }
}
