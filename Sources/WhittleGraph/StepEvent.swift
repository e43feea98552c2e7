public import WhittleCore

/// What happens to the steps of a build, in order, for whoever shows it.
///
/// A step is announced by ``started(_:)`` or ``cached(_:)``, and each one that started ends with exactly one of
/// ``finished(_:)``, ``failed(_:message:)`` or ``cancelled(_:)``.
public enum StepEvent: Sendable {
    case started(Step)
    /// Its result was there already.
    case cached(Step)
    /// Bytes that the step wrote, cut anywhere.
    case output(Step, stream: OutputStream, bytes: [UInt8])
    /// How far a part of the step is: a layer being fetched, a layer being written.
    case progress(Step, StepProgress)
    case finished(Step)
    case failed(Step, message: String)
    case cancelled(Step)
    /// Why it runs, or does not; comes before the step ends, where the build was asked to explain itself.
    case explained(Step, StepExplanation)
    /// An output is complete: what a person calls it, and the bytes that it takes where that is known.
    case exported(name: String, size: ByteCount?)
    case warning(BuildWarning)
    /// The size of the files after a step of a build that measures: what steps wrote, and what came with the base image.
    case measured(Step, added: ByteCount, base: ByteCount)

    public enum OutputStream: Int, Hashable, Sendable {
        case standardOutput = 1
        case standardError = 2
    }
}

extension StepEvent {
    /// The same event, of another step; one that is of no step stays.
    public func mapStep(_ change: (Step) -> Step) -> StepEvent {
        switch self {
        case .started(let step): .started(change(step))
        case .cached(let step): .cached(change(step))
        case .output(let step, let stream, let bytes): .output(change(step), stream: stream, bytes: bytes)
        case .progress(let step, let progress): .progress(change(step), progress)
        case .finished(let step): .finished(change(step))
        case .failed(let step, let message): .failed(change(step), message: message)
        case .cancelled(let step): .cancelled(change(step))
        case .explained(let step, let explanation): .explained(change(step), explanation)
        case .measured(let step, let added, let base): .measured(change(step), added: added, base: base)
        case .exported, .warning: self
        }
    }
}

/// A step as a person sees it.
public struct Step: Hashable, Sendable {
    /// The vertex's digest, or one of its own for work that is no vertex (loading a file, exporting).
    public let id: Digest
    public let name: String
    /// The steps whose results it uses.
    public let inputs: [Digest]

    public init(id: Digest, name: String, inputs: [Digest] = []) {
        self.id = id
        self.name = name
        self.inputs = inputs
    }

    /// Work of the tool itself, named `[internal] …` or `exporting …`.
    public init(internal name: String) {
        self.init(id: Digest(hashing: "step:" + name), name: name)
    }

    /// The name of a step of one of several targets, as buildx shows it: `[app build 1/3] RUN make`, `[app] exporting`.
    public static func name(_ text: String, of target: String) -> String {
        text.hasPrefix("[") ? "[\(target) \(text.dropFirst())" : "[\(target)] \(text)"
    }

    public init(_ vertex: Vertex) {
        self.init(id: vertex.digest, name: vertex.metadata.name, inputs: vertex.inputs.map(\.vertex))
    }
}

/// How far a part of a step is.
public struct StepProgress: Hashable, Sendable {
    /// What is under way: a digest, a file name.
    public let name: String
    public let current: ByteCount
    /// `nil` where it is not known.
    public let total: ByteCount?
    public let isDone: Bool

    public init(name: String, current: ByteCount, total: ByteCount?, isDone: Bool = false) {
        self.name = name
        self.current = current
        self.total = total
        self.isDone = isDone
    }
}

/// Something that a user should know and that does not stop the build.
public struct BuildWarning: Hashable, Sendable {
    public let message: String
    public let location: SourceLocation?
    /// The check that it comes from; `nil` for what no check is about.
    public let rule: Rule?

    /// A check of the Dockerfile.
    public struct Rule: Hashable, Sendable {
        /// As `# check=skip=` has it.
        public let name: String
        /// What it wants.
        public let description: String
        /// The page about it.
        public let url: String?

        public init(name: String, description: String, url: String?) {
            self.name = name
            self.description = description
            self.url = url
        }
    }

    public init(_ message: String, at location: SourceLocation? = nil, rule: Rule? = nil) {
        self.message = message
        self.location = location
        self.rule = rule
    }
}
