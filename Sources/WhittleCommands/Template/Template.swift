internal import WhittleCore

/// A template in the language of Go's `text/template`, which docker's `--format` takes.
///
/// Left out of the language: `define`, `template`, `block`, and the functions `html`, `js`, `urlquery` and `call`.
struct Template {
    let source: String
    private let nodes: [TemplateNode]

    /// Reads a template.
    ///
    /// - Parameter hasEscapes: whether `\t` and `\n` outside of actions stand for a tab and a line end.
    /// - Throws: `invalid-format` with the column of what is wrong.
    init(parsing source: String, hasEscapes: Bool) throws(BuildError) {
        self.source = source
        do throws(TemplateProblem) {
            var lexer = TemplateLexer(source, hasEscapes: hasEscapes)
            var parser = TemplateParser(try lexer.pieces())
            nodes = try parser.nodes()
        } catch {
            throw BuildError.template(source, error)
        }
    }

    /// Whether there is anything in it that depends on the value.
    var hasActions: Bool {
        nodes.contains { if case .text = $0 { false } else { true } }
    }

    /// The text that the template makes of `value`.
    ///
    /// - Throws: `unknown-format-field`, `invalid-format`.
    func text(of value: TemplateValue) throws(BuildError) -> String {
        var evaluation = TemplateEvaluation(root: value)
        do throws(TemplateProblem) {
            _ = try evaluation.run(nodes, dot: value)
        } catch {
            throw BuildError.template(source, error)
        }
        return evaluation.output
    }

    /// The headings of a table whose rows the template makes: each field gives its heading, and functions that only
    /// change how a text looks leave it as it is.
    ///
    /// - Parameter headings: the headings by field, in the order in which messages list them.
    /// - Throws: `unknown-format-field`.
    func headings(_ headings: [(String, String)]) throws(BuildError) -> String {
        let record = TemplateRecord(texts: headings)
        var evaluation = TemplateEvaluation(root: .record(record), leavesTextsAlone: true)
        do throws(TemplateProblem) {
            _ = try evaluation.run(nodes, dot: .record(record))
            return evaluation.output
        } catch {
            if error.isUnknownField { throw BuildError.template(source, error) }
            // What works on the values of the rows need not work on a heading: the fields' own headings, then.
            return nodes.map { node in
                if case .text(let text) = node { return text }
                return node.fieldNames.compactMap { record[$0]?.printed }.joined(separator: " ")
            }.joined()
        }
    }
}
