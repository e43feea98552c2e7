internal import WhittleCore

/// Makes nodes of the pieces of a template.
struct TemplateParser {
    private let pieces: [TemplatePiece]
    private var next = 0
    private var tokens: ArraySlice<TemplateToken> = []
    private var depth = 0
    private var loops = 0
    private var variables: [String] = ["$"]

    /// Blocks and parentheses nest no deeper: what is read by recursion must not exhaust the stack.
    private static let depthLimit = 100
    private static let blockWords: Set<String> = ["if", "with", "range"]
    private static let words: Set<String> = [
        "if", "with", "range", "else", "end", "break", "continue", "define", "template", "block",
    ]

    init(_ pieces: [TemplatePiece]) { self.pieces = pieces }

    /// The whole template.
    mutating func nodes() throws(TemplateProblem) -> [TemplateNode] {
        let list = try list(isInBlock: nil)
        return list.nodes
    }

    /// How a list of nodes ended.
    private enum Ending {
        case input, end
        /// `else`; the tokens behind it are next.
        case otherwise(column: Int)
    }

    // MARK: Blocks

    /// - Parameter isInBlock: the column of the block that the list belongs to, `nil` for the whole template.
    private mutating func list(
        isInBlock block: Int?
    ) throws(TemplateProblem) -> (nodes: [TemplateNode], ending: Ending) {
        var nodes: [TemplateNode] = []
        while next < pieces.count {
            let piece = pieces[next]
            next += 1
            guard case .action(let words, let column) = piece else {
                if case .text(let text) = piece { nodes.append(.text(text)) }
                continue
            }
            tokens = words[...]
            guard case .word(let word) = peek.kind, Self.words.contains(word) else {
                nodes.append(.action(try pipeline(until: .end)))
                continue
            }
            switch word {
            case "end", "else":
                guard block != nil else {
                    throw TemplateProblem("'\(word)' without 'if', 'with' or 'range' before it", at: column)
                }
                take()
                if word == "else" { return (nodes, .otherwise(column: column)) }
                try expectEnd()
                return (nodes, .end)
            case "break", "continue":
                guard loops > 0 else { throw TemplateProblem("'\(word)' outside of 'range'", at: column) }
                take()
                try expectEnd()
                nodes.append(word == "break" ? .leaveLoop : .nextTurn)
            default: nodes.append(try self.block(word, column))
            }
        }
        if let block {
            throw TemplateProblem("the block that begins here has no end", at: block, hint: "end it with '{{end}}'")
        }
        return (nodes, .input)
    }

    private mutating func block(_ word: String, _ column: Int) throws(TemplateProblem) -> TemplateNode {
        guard Self.blockWords.contains(word) else {
            throw TemplateProblem("'\(word)' is not supported", at: column)
        }
        depth += 1
        defer { depth -= 1 }
        try checkDepth(column)
        take()
        let scope = variables.count
        defer { variables.removeSubrange(scope...) }
        let condition = try pipeline(until: .end, isRange: word == "range")
        if word == "range" { loops += 1 }
        let body = try list(isInBlock: column)
        if word == "range" { loops -= 1 }
        var otherwise: [TemplateNode] = []
        if case .otherwise(let elseColumn) = body.ending { otherwise = try elseBranch(word, elseColumn, column) }
        if word == "range" { return .range(condition, body: body.nodes, otherwise: otherwise) }
        return .branch(condition, rebindsDot: word == "with", then: body.nodes, otherwise: otherwise)
    }

    /// `else`, `else if PIPELINE` or `else with PIPELINE`, whose `end` is also that of the block.
    private mutating func elseBranch(
        _ word: String, _ column: Int, _ blockColumn: Int
    ) throws(TemplateProblem) -> [TemplateNode] {
        if case .word(let again) = peek.kind, again == word, word != "range" { return [try block(word, column)] }
        try expectEnd()
        let list = try list(isInBlock: blockColumn)
        guard case .end = list.ending else { throw TemplateProblem("a second 'else' in one block", at: blockColumn) }
        return list.nodes
    }

    // MARK: Pipelines

    private mutating func pipeline(
        until end: TemplateToken.Kind, isRange: Bool = false
    ) throws(TemplateProblem) -> TemplatePipeline {
        var pipeline = TemplatePipeline(column: peek.column)
        try declaration(&pipeline, isRange: isRange)
        while true {
            pipeline.commands.append(try command())
            let token = take()
            if token.kind == end { break }
            guard token.kind == .pipe else {
                throw TemplateProblem(
                    end == .end ? "unexpected \(Self.shown(token.kind))" : "a ')' is missing", at: token.column)
            }
        }
        // Not before: the value of a variable cannot refer to itself.
        if !pipeline.isAssignment { variables += pipeline.variables }
        return pipeline
    }

    /// `$x :=`, `$x =`, and for `range` also `$i, $x :=`.
    private mutating func declaration(
        _ pipeline: inout TemplatePipeline, isRange: Bool
    ) throws(TemplateProblem) {
        guard case .variable(let first) = peek.kind else { return }
        let kinds = tokens.dropFirst().prefix(3).map { $0.kind }
        var names = [first]
        var count = 1
        if isRange, kinds.count == 3, kinds[0] == .comma, case .variable(let second) = kinds[1] {
            names.append(second)
            count = 3
        }
        guard kinds.count >= count, kinds[count - 1] == .declare || kinds[count - 1] == .assign else { return }
        pipeline.variables = names
        pipeline.isAssignment = kinds[count - 1] == .assign
        if pipeline.isAssignment {
            for name in names { try checkVariable(name, peek.column) }
        }
        tokens = tokens.dropFirst(count + 1)
    }

    private mutating func command() throws(TemplateProblem) -> TemplateCommand {
        var command = TemplateCommand(operands: [], column: peek.column)
        while true {
            switch peek.kind {
            case .end, .pipe, .rightParenthesis:
                guard !command.operands.isEmpty else {
                    throw TemplateProblem("a value is missing", at: peek.column, hint: "for example '{{.ID}}'")
                }
                return command
            case .comma, .declare, .assign:
                throw TemplateProblem("unexpected \(Self.shown(peek.kind))", at: peek.column)
            default: command.operands.append(try operand())
            }
        }
    }

    private mutating func operand() throws(TemplateProblem) -> TemplateOperand {
        let token = take()
        var operand: TemplateOperand
        switch token.kind {
        case .dot: operand = TemplateOperand(base: .dot, column: token.column)
        case .field(let name):
            operand = TemplateOperand(
                base: .dot, fields: [TemplateOperand.Field(name: name, column: token.column)], column: token.column)
        case .variable(let name):
            try checkVariable(name, token.column)
            operand = TemplateOperand(base: .variable(name), column: token.column)
        case .literal(let value): operand = TemplateOperand(base: .literal(value), column: token.column)
        case .word(let name):
            try TemplateFunction.check(name, token.column)
            operand = TemplateOperand(base: .function(name), column: token.column)
        case .leftParenthesis:
            depth += 1
            defer { depth -= 1 }
            try checkDepth(token.column)
            operand = TemplateOperand(
                base: .pipeline(try pipeline(until: .rightParenthesis)), column: token.column)
        default: throw TemplateProblem("unexpected \(Self.shown(token.kind))", at: token.column)
        }
        while case .field(let name) = peek.kind, !peek.isSeparate {
            operand.fields.append(TemplateOperand.Field(name: name, column: peek.column))
            take()
        }
        return operand
    }

    // MARK: Tokens

    /// Every action ends with a token of its own, which is never taken by accident.
    private var peek: TemplateToken { tokens.first ?? TemplateToken(kind: .end, column: 1, isSeparate: true) }

    @discardableResult
    private mutating func take() -> TemplateToken {
        let token = peek
        tokens = tokens.dropFirst()
        return token
    }

    private mutating func expectEnd() throws(TemplateProblem) {
        let token = take()
        guard token.kind == .end else {
            throw TemplateProblem("unexpected \(Self.shown(token.kind))", at: token.column)
        }
    }

    private func checkDepth(_ column: Int) throws(TemplateProblem) {
        guard depth <= Self.depthLimit else { throw TemplateProblem("nested too deep", at: column) }
    }

    private func checkVariable(_ name: String, _ column: Int) throws(TemplateProblem) {
        guard !variables.contains(name) else { return }
        throw TemplateProblem(
            "there is no variable '\(name)'", at: column,
            hint: NearestName.of(name, among: variables.filter { $0 != "$" }).map { "did you mean '\($0)'?" })
    }

    private static func shown(_ kind: TemplateToken.Kind) -> String {
        switch kind {
        case .field(let name): "'.\(name)'"
        case .dot: "'.'"
        case .variable(let name), .word(let name): "'\(name)'"
        case .literal(let value): "'\(value.printed)'"
        case .leftParenthesis: "'('"
        case .rightParenthesis: "')'"
        case .pipe: "'|'"
        case .comma: "','"
        case .declare: "':='"
        case .assign: "'='"
        case .end: "end of the action"
        }
    }
}
