public import WhittleCore

/// One instruction of a Dockerfile.
public struct Instruction: Sendable {
    /// The instruction as its words.
    public let raw: RawInstruction
    /// What the instruction says, by its keyword.
    public let kind: Kind

    init(raw: RawInstruction, kind: Kind) {
        self.raw = raw
        self.kind = kind
    }

    /// As written, in any casing.
    public var keyword: Token { raw.keyword }
    /// All flags in their order, known to ``kind`` already.
    public var flags: [Flag] { raw.flags }
    /// The heredocs in their order.
    public var heredocs: [Heredoc] { raw.heredocs }
    /// The comments directly above, oldest first; an empty comment line starts anew.
    public var comments: [String] { raw.comments }
    /// The instruction as one line, continuations joined, without heredoc bodies: what history and progress show.
    public var text: String { raw.text }
    /// From the keyword to the last byte of the instruction, heredoc terminators included.
    public var range: SourceRange { raw.range }
    /// The keyword in upper case.
    public var name: String { kind.keyword.rawValue }

    /// The instructions of the language with what each of them says.
    public indirect enum Kind: Sendable {
        case from(From)
        case run(Run)
        case copy(Copy)
        case add(Add)
        case env([Assignment])
        case arg([ArgumentDeclaration])
        case label([Assignment])
        case workdir(Token)
        case user(Token)
        /// Ports as written, in their order.
        case expose([Token])
        case volume([Token])
        case cmd(CommandLine)
        case entrypoint(CommandLine)
        case healthcheck(Healthcheck)
        case stopsignal(Token)
        /// The shell and its arguments, at least one word.
        case shell([Token])
        case onbuild(Onbuild)
        case maintainer(Token)
    }

    /// The keywords of the language.
    public enum Keyword: String, CaseIterable, Hashable, Sendable {
        case add = "ADD"
        case arg = "ARG"
        case cmd = "CMD"
        case copy = "COPY"
        case entrypoint = "ENTRYPOINT"
        case env = "ENV"
        case expose = "EXPOSE"
        case from = "FROM"
        case healthcheck = "HEALTHCHECK"
        case label = "LABEL"
        case maintainer = "MAINTAINER"
        case onbuild = "ONBUILD"
        case run = "RUN"
        case shell = "SHELL"
        case stopsignal = "STOPSIGNAL"
        case user = "USER"
        case volume = "VOLUME"
        case workdir = "WORKDIR"
    }
}

extension Instruction.Kind {
    /// The keyword this kind is written with.
    public var keyword: Instruction.Keyword {
        switch self {
        case .from: .from
        case .run: .run
        case .copy: .copy
        case .add: .add
        case .env: .env
        case .arg: .arg
        case .label: .label
        case .workdir: .workdir
        case .user: .user
        case .expose: .expose
        case .volume: .volume
        case .cmd: .cmd
        case .entrypoint: .entrypoint
        case .healthcheck: .healthcheck
        case .stopsignal: .stopsignal
        case .shell: .shell
        case .onbuild: .onbuild
        case .maintainer: .maintainer
        }
    }
}
