internal import WhittleCore

/// Carries a template out on one value.
struct TemplateEvaluation {
    private(set) var output = ""
    private var variables: [(name: String, value: TemplateValue)]
    /// Whether functions that change a text's looks give it back as it is.
    private let leavesTextsAlone: Bool

    /// What a loop does after a list of nodes.
    enum Flow {
        case onward, leaveLoop, nextTurn
    }

    init(root: TemplateValue, leavesTextsAlone: Bool = false) {
        variables = [("$", root)]
        self.leavesTextsAlone = leavesTextsAlone
    }

    mutating func run(_ nodes: [TemplateNode], dot: TemplateValue) throws(TemplateProblem) -> Flow {
        for node in nodes {
            switch node {
            case .text(let text): output += text
            case .action(let pipeline):
                let value = try evaluate(pipeline, dot)
                declare(pipeline, [value])
                if pipeline.variables.isEmpty { output += value.printed }
            case .branch(let condition, let rebindsDot, let then, let otherwise):
                let scope = variables.count
                defer { variables.removeSubrange(scope...) }
                let value = try evaluate(condition, dot)
                declare(condition, [value])
                let flow = try run(
                    value.isEmpty ? otherwise : then, dot: rebindsDot && !value.isEmpty ? value : dot)
                guard case .onward = flow else { return flow }
            case .range(let pipeline, let body, let otherwise):
                let scope = variables.count
                defer { variables.removeSubrange(scope...) }
                let flow = try loop(pipeline, body, otherwise, dot)
                guard case .onward = flow else { return flow }
            case .leaveLoop: return .leaveLoop
            case .nextTurn: return .nextTurn
            }
        }
        return .onward
    }

    private mutating func loop(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: TemplateValue
    ) throws(TemplateProblem) -> Flow {
        let value = try evaluate(pipeline, dot)
        let turns: [(TemplateValue, TemplateValue)]
        switch value {
        case .none: turns = []
        case .list(let elements): turns = (elements ?? []).enumerated().map { (.integer(Int64($0)), $1) }
        case .map(let members): turns = TemplateValue.sorted(members ?? [:]).map { (.text($0.key), $0.value) }
        default: throw TemplateProblem("'range' cannot go through \(value.kind)", at: pipeline.column)
        }
        guard !turns.isEmpty else { return try run(otherwise, dot: dot) }
        let scope = variables.count
        for (index, element) in turns {
            variables.removeSubrange(scope...)
            declare(pipeline, pipeline.variables.count == 2 ? [index, element] : [element])
            if case .leaveLoop = try run(body, dot: element) { break }
        }
        return .onward
    }

    private mutating func declare(_ pipeline: TemplatePipeline, _ values: [TemplateValue]) {
        for (name, value) in zip(pipeline.variables, values) {
            if pipeline.isAssignment, let index = variables.lastIndex(where: { $0.name == name }) {
                variables[index].value = value
            } else {
                variables.append((name, value))
            }
        }
    }

    // MARK: Values

    private func evaluate(_ pipeline: TemplatePipeline, _ dot: TemplateValue) throws(TemplateProblem) -> TemplateValue {
        var result: TemplateValue?
        for command in pipeline.commands { result = try evaluate(command, dot, piped: result) }
        return result ?? .none
    }

    private func evaluate(
        _ command: TemplateCommand, _ dot: TemplateValue, piped: TemplateValue?
    ) throws(TemplateProblem) -> TemplateValue {
        guard let first = command.operands.first else { return .none }
        if case .function(let name) = first.base, first.fields.isEmpty {
            let isLazy = name == "and" || name == "or"
            var arguments: [TemplateValue] = []
            for operand in command.operands.dropFirst() {
                arguments.append(try evaluate(operand, dot))
                // As in Go, what follows the argument that decides is not looked at.
                if isLazy, let last = arguments.last, last.isEmpty == (name == "and") { return last }
            }
            if let piped { arguments.append(piped) }
            return try TemplateFunction(name: name, column: first.column, leavesTextsAlone: leavesTextsAlone)
                .call(arguments)
        }
        if command.operands.count > 1 || piped != nil {
            throw TemplateProblem("a value that is no function cannot take arguments", at: first.column)
        }
        return try evaluate(first, dot)
    }

    private func evaluate(_ operand: TemplateOperand, _ dot: TemplateValue) throws(TemplateProblem) -> TemplateValue {
        var value: TemplateValue
        switch operand.base {
        case .dot: value = dot
        case .variable(let name): value = variables.last { $0.name == name }?.value ?? .none
        case .literal(let literal): value = literal
        case .function(let name):
            value = try TemplateFunction(name: name, column: operand.column, leavesTextsAlone: leavesTextsAlone).call([]
            )
        case .pipeline(let pipeline): value = try evaluate(pipeline, dot)
        }
        for field in operand.fields { value = try Self.field(field, of: value) }
        return value
    }

    private static func field(
        _ field: TemplateOperand.Field, of value: TemplateValue
    ) throws(TemplateProblem) -> TemplateValue {
        switch value {
        case .record(let record):
            if let found = record[field.name] { return found }
            throw .unknownField(field.name, at: field.column, fields: record.fields.map { $0.name })
        case .map(let members): return members?[field.name] ?? .text("")
        default:
            throw TemplateProblem("\(value.kind) has no field '.\(field.name)'", at: field.column)
        }
    }
}
