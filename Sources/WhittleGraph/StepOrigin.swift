/// Where a step stands in its Dockerfile, so that a step of an earlier build can be recognised as the same one.
public struct StepOrigin: Hashable, Sendable {
    /// In its stage, counted from 1.
    public var position: Int
    /// The instruction as it is written, on one line, before variables are expanded.
    public var instruction: String
    /// Names of those among the variables it sees that are build arguments.
    public var arguments: Set<String>

    public init(position: Int, instruction: String, arguments: Set<String> = []) {
        self.position = position
        self.instruction = instruction
        self.arguments = arguments
    }
}
