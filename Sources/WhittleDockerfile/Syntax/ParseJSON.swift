public import WhittleCore

/// What `whittle parse --json` prints for one file.
///
/// An object with `directives` (`line`, `name`, `value`), `escape`, `instructions`, `rejected`, and where that is true
/// `reason`. An instruction has `keyword` in upper case, `flags`, `args`, `json`, `heredocs` (`name`, `content`,
/// `expand`, `chomp`), `start` and `end` (lines from 1), and for ONBUILD `onbuild`: the wrapped instruction, without
/// lines. A file that cannot be split into instructions has none.
public struct ParseJSON: Sendable {
    /// The object on one line, without a line feed.
    public let text: String
    /// Why the file is rejected, `nil` where it is not.
    public let error: BuildError?

    /// Parses `bytes` and describes the result.
    public init(parsing bytes: [UInt8], file: String) {
        let source = SourceText(bytes, file: file)
        let raw: RawDockerfile
        do throws(BuildError) {
            raw = try RawDockerfile(parsing: source)
        } catch {
            let top = RawParser.directives(of: source)
            self.init(top.directives, top.escape, [], error)
            return
        }
        do throws(BuildError) {
            _ = try Dockerfile(raw)
            self.init(raw.directives, raw.escape, raw.instructions, nil)
        } catch {
            self.init(raw.directives, raw.escape, raw.instructions, error)
        }
    }

    private init(
        _ directives: [Directive], _ escape: EscapeCharacter, _ instructions: [RawInstruction], _ error: BuildError?
    ) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("directives")
            writer.array(directives) { writer, directive in
                writer.object { writer in
                    writer.key("line")
                    writer.number(directive.range.start.line)
                    writer.key("name")
                    writer.string(directive.name)
                    writer.key("value")
                    writer.string(directive.value.text)
                }
            }
            writer.key("escape")
            writer.string(escape.text)
            writer.key("instructions")
            writer.array(instructions) { $0.instruction($1, isWrapped: false) }
            writer.key("rejected")
            writer.bool(error != nil)
            if let error {
                writer.key("reason")
                writer.string(error.message)
            }
        }
        self.text = writer.text
        self.error = error
    }
}

extension JSONWriter {
    fileprivate mutating func instruction(_ instruction: RawInstruction, isWrapped: Bool) {
        object { writer in
            writer.key("keyword")
            writer.string(instruction.keyword.text.uppercased())
            writer.key("flags")
            writer.array(instruction.flags) { $0.string($1.text) }
            writer.key("args")
            writer.array(instruction.arguments) { $0.string($1.text) }
            writer.key("json")
            writer.bool(instruction.isJSON)
            writer.key("heredocs")
            writer.array(instruction.heredocs) { $0.heredoc($1) }
            if !isWrapped {
                writer.key("start")
                writer.number(instruction.lines.lowerBound)
                writer.key("end")
                writer.number(instruction.lines.upperBound)
            }
            if let wrapped = instruction.wrapped {
                writer.key("onbuild")
                writer.instruction(wrapped, isWrapped: true)
            }
        }
    }

    private mutating func heredoc(_ heredoc: Heredoc) {
        object { writer in
            writer.key("name")
            writer.string(heredoc.name)
            writer.key("content")
            writer.string(heredoc.content)
            writer.key("expand")
            writer.bool(heredoc.expands)
            writer.key("chomp")
            writer.bool(heredoc.chomps)
        }
    }
}
