import WhittleCore

@testable import WhittleDockerfile

/// A parse as text for fixtures: every token with its place, or the error as a terminal shows it.
enum SyntaxDump {
    static func text(of bytes: [UInt8]) -> String {
        var lines: [String] = []
        do throws(BuildError) {
            let raw = try RawDockerfile(parsing: SourceText(bytes, file: "Dockerfile"))
            lines += raw.directives.map { "directive \(place($0.range)) \($0.name) = \(token($0.value))" }
            lines += raw.comments.map { "comment \(place($0.range)) \(quoted($0.text))" }
            lines += raw.emptyContinuations.map { "empty continuation \(place($0))" }
            for instruction in raw.instructions { append(instruction, indent: "", to: &lines) }
            let dockerfile = try Dockerfile(raw)
            for stage in dockerfile.stages {
                lines.append("stage \(stage.index) \(stage.name ?? "-"): \(stage.instructions.count) instructions")
            }
        } catch {
            lines.append(error.description)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func append(_ instruction: RawInstruction, indent: String, to lines: inout [String]) {
        let form = instruction.isJSON ? " json" : instruction.isLegacyAssignment ? " legacy" : ""
        lines.append(
            "\(indent)\(instruction.keyword.text) \(place(instruction.keyword.range)) of \(place(instruction.range))"
                + " lines \(instruction.lines.lowerBound)-\(instruction.lines.upperBound)\(form)")
        for comment in instruction.comments where indent.isEmpty { lines.append("  above: \(quoted(comment))") }
        for flag in instruction.flags {
            let value = flag.value.map { " = \(token($0))" } ?? ""
            lines.append("\(indent)  flag \(place(flag.range)): \(token(flag.name))\(value)")
        }
        for argument in instruction.arguments { lines.append("\(indent)  \(token(argument))") }
        for heredoc in instruction.heredocs {
            let traits = (heredoc.expands ? " expands" : "") + (heredoc.chomps ? " chomps" : "")
            lines.append(
                "\(indent)  heredoc \(quoted(heredoc.name)) at \(place(heredoc.marker)), body \(place(heredoc.body))"
                    + "\(traits) fd \(heredoc.fileDescriptor): \(quoted(heredoc.content))")
        }
        if let wrapped = instruction.wrapped { append(wrapped, indent: indent + "  ", to: &lines) }
    }

    private static func token(_ token: Token) -> String { "\(quoted(token.text)) \(place(token.range))" }

    private static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return writer.text
    }

    private static func place(_ range: SourceRange) -> String {
        "\(range.start.line):\(range.start.column)-\(range.end.line):\(range.end.column)"
    }
}
