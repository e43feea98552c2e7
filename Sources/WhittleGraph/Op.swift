/// What a vertex does: makes a file system from its inputs.
///
/// The meaning is that of BuildKit's low-level build definition (moby/buildkit `solver/pb/ops.proto`), as Swift values.
public enum Op: Hashable, Sendable {
    /// Brings something in from outside. No inputs.
    case source(SourceOp)
    /// Runs a command in a container.
    case exec(ExecOp)
    /// Copies, makes or removes files.
    case file(FileOp)
    /// Lays the layers of the inputs over each other, first input lowest.
    case merge

    /// The input whose file system the op's result builds on, or `nil` where it starts empty.
    public var baseInput: Int? {
        switch self {
        case .source: nil
        case .exec(let op): op.rootInput
        case .file(let op): op.base
        case .merge: 0
        }
    }

    /// The greatest input index that the op refers to, or -1.
    var highestInput: Int {
        switch self {
        case .source: -1
        case .exec(let op): ([op.rootInput] + op.mounts.map(\.input)).compactMap { $0 }.max() ?? -1
        case .file(let op): ([op.base] + op.actions.map(\.input)).compactMap { $0 }.max() ?? -1
        case .merge: 1
        }
    }
}
