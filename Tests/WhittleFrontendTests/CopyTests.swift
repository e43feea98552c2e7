import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph

@Suite("COPY and ADD")
struct CopyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let lines: String
        let copy: CopyAction
        let history: String
        var testDescription: String { lines.replacing("\n", with: "; ") }
        init(_ lines: String, _ copy: CopyAction, history: String) {
            self.lines = lines
            self.copy = copy
            self.history = history + " # buildkit"
        }
    }

    /// Input 0 is the root file system, input 1 what is copied from.
    private static func copy(
        _ sources: String..., to destination: String, change: (inout CopyAction) -> Void = { _ in }
    ) -> CopyAction {
        var copy = CopyAction(input: 1, sources: sources, destination: destination)
        change(&copy)
        return copy
    }

    static let cases: [Case] = [
        Case("COPY a /b", copy("/a", to: "/b"), history: "COPY a /b"),
        Case("COPY src/ .", copy("/src", to: "/work/"), history: "COPY src/ ."),
        Case("COPY . .", copy("/", to: "/work/"), history: "COPY . ."),
        Case("COPY a b", copy("/a", to: "/work/b"), history: "COPY a b"),
        Case("COPY a b/", copy("/a", to: "/work/b/"), history: "COPY a b/"),
        Case("COPY a b/.", copy("/a", to: "/work/b/"), history: "COPY a b/."),
        Case("COPY a ../b", copy("/a", to: "/b"), history: "COPY a ../b"),
        Case("COPY a ../../../", copy("/a", to: "/"), history: "COPY a ../../../"),
        Case("COPY a /", copy("/a", to: "/"), history: "COPY a /"),
        Case("COPY /a/../b ./c", copy("/b", to: "/work/c"), history: "COPY /a/../b ./c"),
        Case("WORKDIR /\nCOPY a b", copy("/a", to: "/b"), history: "COPY a b"),
        Case("COPY package*.json ./", copy("/package*.json", to: "/work/"), history: "COPY package*.json ./"),
        Case("COPY a b c /d/", copy("/a", "/b", "/c", to: "/d/"), history: "COPY a b c /d/"),
        Case("COPY [\"a b\", \"/c d\"]", copy("/a b", to: "/c d"), history: "COPY a b /c d"),
        Case("COPY $A/x $A", copy("/v/x", to: "/work/v"), history: "COPY v/x v"),
        Case(
            "COPY --chown=app:1000 a /b", copy("/a", to: "/b") { $0.owner = Owner(user: "app", group: "1000") },
            history: "COPY --chown=app:1000 a /b"),
        Case(
            "COPY --chown=$A a /b", copy("/a", to: "/b") { $0.owner = Owner(user: "v", group: nil) },
            history: "COPY --chown=v a /b"),
        Case("COPY --chown=$UNSET a /b", copy("/a", to: "/b"), history: "COPY a /b"),
        Case(
            "COPY --chmod=755 a /b", copy("/a", to: "/b") { $0.mode = "755" }, history: "COPY --chmod=755 a /b"),
        Case(
            "COPY --chmod=u=rwX,go=rX a /b", copy("/a", to: "/b") { $0.mode = "u=rwX,go=rX" },
            history: "COPY --chmod=u=rwX,go=rX a /b"),
        Case(
            "COPY --exclude=*.md --exclude=$A a /b",
            copy("/a", to: "/b") { $0.excludePatterns = ["*.md", "$A"] }, history: "COPY a /b"),
        Case(
            "COPY --parents a/./b/c x/**/y /d/",
            copy("/a/./b/c", "/x/**/y", to: "/d/") { $0.keepsParents = true },
            history: "COPY --parents a/./b/c x/**/y /d/"),
        Case(
            "COPY --parents ./a /d/", copy("/a", to: "/d/") { $0.keepsParents = true },
            history: "COPY --parents ./a /d/"),
        Case("COPY --from=other ../../a /b", copy("/a", to: "/b"), history: "COPY ../../a /b"),
        Case("ADD a.tar /b", copy("/a.tar", to: "/b") { $0.unpacks = .archives }, history: "ADD a.tar /b"),
        Case(
            "ADD --unpack=true a.tar /b", copy("/a.tar", to: "/b") { $0.unpacks = .archives },
            history: "ADD a.tar /b"),
        Case("ADD --unpack=false a.tar /b", copy("/a.tar", to: "/b"), history: "ADD a.tar /b"),
        Case(
            "ADD --chown=1:2 --chmod=600 --exclude=x a /b",
            copy("/a", to: "/b") {
                $0.owner = Owner(user: "1", group: "2")
                $0.mode = "600"
                $0.excludePatterns = ["x"]
                $0.unpacks = .archives
            }, history: "ADD --chown=1:2 --chmod=600 a /b"),
    ]

    @Test("lowers to one copy", arguments: cases)
    func copies(example: Case) async throws {
        let text = """
            FROM busybox AS other
            RUN true
            FROM alpine
            ENV A=v
            WORKDIR /work
            \(example.lines)
            """
        let lowered = try await lower(text)
        let vertex = try #require(lowered.chain.last)
        #expect(vertex.op == .file(FileOp(base: 0, actions: [.copy(example.copy)])))
        #expect(vertex.inputs.count == 2)
        #expect(lowered.history.last == example.history)
    }

    @Test("the build context has its ignore rules, and is one source")
    func context() async throws {
        let options = BuildOptions(ignore: IgnoreRules(patterns: ["*.md", "!a.md"], file: ".dockerignore"))
        let lowered = try await lower("FROM scratch\nCOPY a /a\nADD b /b", options)
        let sources = lowered.definition.vertices.compactMap { vertex -> LocalSource? in
            if case .source(.local(let local)) = vertex.op { local } else { nil }
        }
        #expect(
            sources == [
                LocalSource(name: "context", ignorePatterns: ["*.md", "!a.md"], ignoreFile: ".dockerignore")
            ])
        #expect(lowered.names.first == "[internal] load build context")
        #expect(lowered.plan.localSources == ["context"])
    }

    @Test("a stage that copies nothing from the context does not read it")
    func noContext() async throws {
        #expect(try await lower("FROM alpine\nRUN true\nCOPY <<a /b\nx\na").plan.localSources.isEmpty)
    }

    @Test("--link makes files of their own and lays them over")
    func link() async throws {
        let lowered = try await lower("FROM alpine\nCOPY --link a /b")
        let merge = try #require(lowered.chain.last)
        #expect(merge.op == .merge)
        #expect(merge.metadata.name == "[2/2] LINK COPY --link a /b")
        #expect(merge.metadata.history == "COPY a /b # buildkit")
        let copy = try #require(lowered.definition.vertex(merge.inputs[1].vertex))
        #expect(
            copy.op
                == .file(FileOp(base: nil, actions: [.copy(CopyAction(input: 0, sources: ["/a"], destination: "/b"))])))
        #expect(copy.metadata.name == "[2/2] COPY --link a /b")
        #expect(merge.inputs[0] == Edge(vertex: lowered.chain[0].digest))
    }

    @Test("--link on scratch needs no laying over")
    func linkOnScratch() async throws {
        let lowered = try await lower("FROM scratch\nCOPY --link a /b\nCOPY --link c /d")
        #expect(lowered.chain.map(\.op.baseInput) == [nil, 0])
        #expect(lowered.chain.last?.op == .merge)
    }

    @Test("two linked copies of the same files over different bases are one vertex")
    func linkedOnce() async throws {
        let text = """
            FROM alpine AS a
            COPY --link x /x
            FROM debian AS b
            COPY --link x /x
            FROM scratch
            COPY --from=a / /a
            COPY --from=b / /b
            """
        let lowered = try await lower(text)
        #expect(lowered.copies.count { $0.sources == ["/x"] } == 1)
    }

    // MARK: Heredocs

    private func documents(_ lines: String) async throws -> [(contents: String, copy: CopyAction)] {
        let lowered = try await lower("FROM alpine\nENV A=v\n" + lines)
        let vertex = try #require(lowered.chain.last)
        guard case .file(let op) = vertex.op else { return [] }
        return try op.actions.compactMap { action in
            guard case .copy(let copy) = action, case .file(let source) = try lowered.op(vertex.inputs[copy.input]),
                case .makeFile(let path, let contents, 0o644, nil) = source.actions.first
            else { return nil }
            #expect("/" + path.dropFirst() == path)
            return (String(decoding: contents, as: UTF8.self), copy)
        }
    }

    struct Document: Sendable, CustomTestStringConvertible {
        let lines: String
        let contents: [String]
        let sources: [String]
        var testDescription: String { lines.replacing("\n", with: "↵") }
    }

    static let documentCases: [Document] = [
        Document(lines: "COPY <<EOF /a\n$A ${B:-x}\nEOF", contents: ["v x\n"], sources: ["/EOF"]),
        Document(lines: "COPY <<'EOF' /a\n$A\nEOF", contents: ["$A\n"], sources: ["/EOF"]),
        Document(lines: "COPY <<\"EOF\" /a\n$A\nEOF", contents: ["$A\n"], sources: ["/EOF"]),
        Document(lines: "COPY <<EOF /a\n\"$A\" '$A'\nEOF", contents: ["\"v\" 'v'\n"], sources: ["/EOF"]),
        Document(lines: "COPY <<EOF /a\n\\$A \\\\\nEOF", contents: ["$A \\\n"], sources: ["/EOF"]),
        Document(lines: "COPY <<-EOF /a\n\t\tx\n\tEOF", contents: ["x\n"], sources: ["/EOF"]),
        Document(lines: "COPY <<EOF /a\nEOF", contents: [""], sources: ["/EOF"]),
        Document(
            lines: "ADD <<a.txt <<b.txt /d/\n1\na.txt\n2\nb.txt", contents: ["1\n", "2\n"],
            sources: ["/a.txt", "/b.txt"]),
        Document(lines: "COPY <<'*[x' /d/\n1\n*[x", contents: ["1\n"], sources: ["/\\*\\[x"]),
    ]

    @Test("a heredoc is a file of its name", arguments: documentCases)
    func document(example: Document) async throws {
        let documents = try await documents(example.lines)
        #expect(documents.map(\.contents) == example.contents)
        #expect(documents.flatMap(\.copy.sources) == example.sources)
        #expect(documents.allSatisfy { $0.copy.unpacks == .never })
    }

    @Test("paths and heredocs go together, with owner and mode for both")
    func mixed() async throws {
        let lowered = try await lower("FROM alpine\nCOPY --chown=1 --chmod=600 x <<EOF /d/\ny\nEOF")
        #expect(lowered.copies.map(\.sources) == [["/x"], ["/EOF"]])
        #expect(lowered.copies.allSatisfy { $0.owner == Owner(user: "1", group: nil) && $0.mode == "600" })
        #expect(lowered.copies.allSatisfy { $0.destination == "/d/" })
        #expect(lowered.history == ["COPY --chown=1 --chmod=600 x <<EOF /d/ # buildkit"])
    }
}
