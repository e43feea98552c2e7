/// A part of a template as it is carried out.
indirect enum TemplateNode {
    case text(String)
    case action(TemplatePipeline)
    /// `if`, or with `rebindsDot` `with`.
    case branch(TemplatePipeline, rebindsDot: Bool, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case leaveLoop
    case nextTurn
}

/// Commands of which each gets the value of the one before as its last argument.
struct TemplatePipeline {
    /// Variables that get the value, with their `$`: one, or for `range` up to two.
    var variables: [String] = []
    /// `=` instead of `:=`.
    var isAssignment = false
    var commands: [TemplateCommand] = []
    let column: Int
}

/// A function with its arguments, or one value.
struct TemplateCommand {
    var operands: [TemplateOperand]
    let column: Int
}

/// A value with the fields that are taken from it: `.A.B`, `$x.A`, `(index .A 0).B`.
struct TemplateOperand {
    indirect enum Base {
        case dot
        case variable(String)
        case literal(TemplateValue)
        case function(String)
        case pipeline(TemplatePipeline)
    }

    struct Field {
        let name: String
        let column: Int
    }

    let base: Base
    var fields: [Field] = []
    let column: Int
}

extension TemplateNode {
    /// The names of the fields that the node takes from the value it is given, in order.
    var fieldNames: [String] {
        switch self {
        case .text, .leaveLoop, .nextTurn: []
        case .action(let pipeline): pipeline.fieldNames
        case .branch(let pipeline, _, let then, let otherwise), .range(let pipeline, let then, let otherwise):
            pipeline.fieldNames + (then + otherwise).flatMap { $0.fieldNames }
        }
    }
}

extension TemplatePipeline {
    var fieldNames: [String] {
        commands.flatMap { $0.operands }.flatMap { operand -> [String] in
            switch operand.base {
            case .dot: operand.fields.prefix(1).map { $0.name }
            case .pipeline(let inner): inner.fieldNames
            default: []
            }
        }
    }
}
