import Dispatch
import WhittleCore
import WhittleDockerfile
import WhittleFrontend
import WhittleGraph
import WhittleLint
import WhittleOCI

#if canImport(Glibc)
    import Glibc
#endif

/// What libFuzzer feeds with bytes. Which one it is says `$FUZZ_TARGET`.
enum Target: String {
    /// The parser: a file is read or refused, and every place it names is in the file.
    case dockerfile
    /// The shell words: variables, quotes, substitutions, patterns.
    case words
    /// The ignore file, its patterns, and paths against them.
    case ignore
    /// The checks, outlines and target lists.
    case checks
    /// The lowering to a graph, for every stage.
    case frontend

    static let current: Target = {
        guard let name = getenv("FUZZ_TARGET"), let target = Target(rawValue: String(cString: name)) else {
            fatalError("FUZZ_TARGET is dockerfile, words, ignore, checks or frontend")
        }
        return target
    }()

    func run(_ bytes: [UInt8]) {
        switch self {
        case .dockerfile: Self.parse(bytes)
        case .words: Self.expand(bytes)
        case .ignore: Self.match(bytes)
        case .checks: Self.check(bytes)
        case .frontend: Self.lower(bytes)
        }
    }

    private static func parse(_ bytes: [UInt8]) {
        let source = SourceText(bytes, file: "Dockerfile")
        _ = ParseJSON(parsing: bytes, file: "Dockerfile").text
        do {
            let raw = try RawDockerfile(parsing: source)
            var last = 0
            for instruction in raw.instructions {
                precondition(instruction.lines.lowerBound > last, "instructions stand one after the other")
                last = instruction.lines.upperBound
                precondition(last <= source.lineCount, "an instruction ends in the file")
                precondition(instruction.lines.contains(instruction.range.start.line), "a place is on its lines")
                for token in instruction.arguments {
                    precondition(instruction.lines.contains(token.range.start.line), "a word is in its instruction")
                }
            }
            let dockerfile = try Dockerfile(raw)
            precondition(dockerfile.instructions.count == raw.instructions.count)
        } catch {
            // The words of an error, with its excerpt of the file, are made of hostile text as well.
            precondition(!error.description.isEmpty)
            if let place = error.location { precondition(place.range.start.line <= max(1, source.lineCount)) }
        }
    }

    /// The first line sets variables, the rest is the word.
    private static func expand(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
        let word = String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self)
        var values: [String: String] = [:]
        for part in (parts.first ?? []).split(separator: 0x20) {
            let sides = part.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
            values[String(decoding: sides[0], as: UTF8.self)] =
                sides.count > 1 ? String(decoding: sides[1], as: UTF8.self) : ""
        }
        for escape in [EscapeCharacter.backslash, .backtick] {
            for options in [WordExpander.Options(), [.keepsQuotes, .keepsUnset], .ignoresQuotes, .heredoc] {
                let expander = WordExpander(escape: escape, options: options)
                do {
                    let expansion = try expander.expand(word, with: values)
                    precondition(expansion.used.isSubset(of: Set(values.keys)), "what was used was set")
                    precondition(expansion.unset.isDisjoint(with: values.keys), "what was not set was not set")
                    _ = try expander.fields(word) { values[$0] }
                } catch {
                    precondition(!error.description.isEmpty)
                }
            }
        }
    }

    /// The last line is a path, those above it are the ignore file.
    private static func match(_ bytes: [UInt8]) {
        let cut = bytes.lastIndex(of: 0x0A) ?? 0
        let path = String(decoding: bytes[cut...].drop { $0 == 0x0A }, as: UTF8.self)
        do {
            let patterns = try IgnorePatterns(parsing: Array(bytes[..<cut]), file: ".dockerignore")
            let excluded = patterns.excludes(path)
            let texts = try IgnorePatterns.texts(parsing: Array(bytes[..<cut]), file: ".dockerignore")
            let again = try IgnorePatterns(texts).excludes(path)
            precondition(again == excluded, "the texts mean the same")
        } catch {
            precondition(!error.description.isEmpty)
        }
    }

    private static func check(_ bytes: [UInt8]) {
        var request = LintRequest()
        request.looksAtAllStages = true
        request.ignore = try? IgnorePatterns(["*.log", "**/secret"])
        let report = LintReport(SourceText(bytes, file: "Dockerfile"), request)
        for finding in report.findings { precondition(finding.lines.upperBound <= max(1, report.source.lineCount)) }
        _ = report.text
        _ = report.json.text(as: .pretty())
        guard let dockerfile = report.dockerfile, !dockerfile.stages.isEmpty else { return }
        _ = TargetList(dockerfile).json
        // Refused is as good as answered.
        if let outline = try? Outline(dockerfile, request) { _ = outline.json.text() + outline.text }
    }

    private static func lower(_ bytes: [UInt8]) {
        guard let dockerfile = try? Dockerfile(parsing: bytes, file: "Dockerfile") else { return }
        var options = BuildOptions()
        options.additionalTargets = dockerfile.stages.indices.map { "\($0)" }
        let wanted = options
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                let plan = try await Frontend(resolver: UnknownImages()).plan(dockerfile, options: wanted)
                precondition(plan.targets.count == wanted.additionalTargets.count + 1)
            } catch {
                precondition(!"\(error)".isEmpty)
            }
            done.signal()
        }
        done.wait()
    }
}

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    Target.current.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
