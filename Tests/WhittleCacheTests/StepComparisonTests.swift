import Testing
import WhittleCache
import WhittleCore

@Suite("StepComparison")
struct StepComparisonTests {
    private typealias Field = StepRecord.Field
    private typealias Input = StepRecord.Input

    static func record(
        _ instruction: String = "RUN make", position: Int = 3, fields: [StepRecord.Field] = [],
        inputs: [StepRecord.Input] = []
    ) -> StepRecord {
        StepRecord(
            key: Digest(hashing: "\(instruction)\(position)\(fields)\(inputs)"), scope: Digest(hashing: "scope"),
            stage: "build", position: position, instruction: instruction, fields: fields, inputs: inputs)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let old: StepRecord
        let new: StepRecord
        let reasons: [String]
    }

    private static func step(_ name: String, _ content: String) -> Input {
        Input(.step, name: name, digest: Digest(hashing: content))
    }

    private static func image(_ name: String, _ content: String) -> Input {
        Input(.image, name: name, digest: Digest(hashing: content), detail: "sha256:\(content)")
    }

    private static func files(_ kind: Input.Kind, _ name: String, _ content: String) -> Input {
        Input(kind, name: name, digest: Digest(hashing: content))
    }

    static let cases = [
        Case(testDescription: "nothing that is known", old: record(), new: record(), reasons: []),
        Case(
            testDescription: "the instruction, and no more than it",
            old: record("RUN make", fields: [Field("command", "make")]),
            new: record("RUN make all", fields: [Field("command", "make all")]),
            reasons: ["the instruction changed: 'RUN make' → 'RUN make all'"]),
        Case(
            testDescription: "arguments and variables",
            old: record(fields: [Field("ARG VERSION", "1"), Field("ENV A", "x"), Field("ARG OLD", "o")]),
            new: record(fields: [Field("ARG VERSION", "2"), Field("ENV A", "x"), Field("ENV NEW", "n")]),
            reasons: ["ARG VERSION: '1' → '2'", "ENV NEW: unset → 'n'", "ARG OLD: 'o' → unset"]),
        Case(
            testDescription: "what looks like a secret is not shown",
            old: record(fields: [Field("ARG NPM_TOKEN", "1"), Field("ENV DB_PASSWORD", "x")]),
            new: record(fields: [Field("ARG NPM_TOKEN", "2"), Field("ENV API_KEY", "y")]),
            reasons: ["ARG NPM_TOKEN changed", "ENV API_KEY added", "ENV DB_PASSWORD removed"]),
        Case(
            testDescription: "long values and those of several lines",
            old: record(fields: [Field("command", String(repeating: "a", count: 500)), Field("ENV T", "a\nb")]),
            new: record(fields: [Field("command", String(repeating: "a", count: 501)), Field("ENV T", "a\nc")]),
            reasons: ["command changed", "ENV T changed"]),
        Case(
            testDescription: "the order of variables",
            old: record(fields: [Field("ENV A", "1"), Field("ENV B", "2")]),
            new: record(fields: [Field("ENV B", "2"), Field("ENV A", "1")]),
            reasons: ["the order of its variables or mounts changed"]),
        Case(
            testDescription: "the base image under the same name", old: record(inputs: [image("alpine:3", "a")]),
            new: record(inputs: [image("alpine:3", "b")]),
            reasons: ["the base image changed: alpine:3 is now sha256:b, was sha256:a"]),
        Case(
            testDescription: "another base image", old: record(inputs: [image("alpine:3.18", "a")]),
            new: record(inputs: [image("alpine:3.19", "b")]),
            reasons: ["the base image changed: alpine:3.18 → alpine:3.19"]),
        Case(
            testDescription: "earlier steps, the first of which ran",
            old: record(inputs: [step("[1/2] COPY a", "1"), step("[1/2] COPY b", "1")]),
            new: record(inputs: [step("[1/2] COPY a", "2"), step("[1/2] COPY b", "2")]),
            reasons: [
                "an earlier step ran again: [1/2] COPY a",
                "an earlier step has another result than the last time: [1/2] COPY b",
            ]),
        Case(
            testDescription: "files of the context",
            old: record(inputs: [files(.context, "the build context", "old")]),
            new: record(inputs: [files(.context, "the build context", "new")]),
            reasons: ["src/app.js changed", "src/new.js added"]),
        Case(
            testDescription: "files of a stage", old: record(inputs: [files(.files, "the stage 'build'", "old")]),
            new: record(inputs: [files(.files, "the stage 'build'", "new")]),
            reasons: ["/src/app.js changed (in the stage 'build')", "/src/new.js added (in the stage 'build')"]),
        Case(
            testDescription: "files that are not remembered",
            old: record(inputs: [files(.files, "the stage 'build'", "forgotten")]),
            new: record(inputs: [files(.files, "the stage 'build'", "new")]),
            reasons: ["files of the stage 'build' changed"]),
        Case(
            testDescription: "more or fewer inputs", old: record(inputs: [step("a", "1")]),
            new: record(inputs: []), reasons: ["it no longer builds on a"]),
    ]

    @Test("says what differs", arguments: cases)
    func reasons(_ example: Case) {
        let comparison = StepComparison(
            from: example.old, to: example.new,
            changes: { old, _ in
                old == Digest(hashing: "old") ? [.changed("src/app.js"), .added("src/new.js")] : nil
            }, hasRun: { $0 == 0 })
        #expect(comparison.reasons == example.reasons)
    }

    @Test("names a few of many files")
    func manyFiles() {
        let comparison = StepComparison(
            from: Self.record(inputs: [Self.files(.context, "the build context", "old")]),
            to: Self.record(inputs: [Self.files(.context, "the build context", "new")]),
            changes: { _, _ in (0..<100).map { .changed("f\($0)") } }, hasRun: { _ in false })
        #expect(comparison.reasons.count == 9)
        #expect(comparison.reasons.last == "and 92 more changes in the build context")
    }
}
