public import WhittleCore

extension Instruction {
    /// `FROM`.
    public struct From: Sendable {
        /// An image, a stage, a named context or `scratch`; unexpanded.
        public let image: Token
        /// The name after `AS` as written.
        public let name: Token?
        /// The value of `--platform`, unexpanded.
        public let platform: Token?

        /// The name of the stage in lower case, or `nil`.
        public var stageName: String? { name.map { GoCase.lowercased($0.text) } }

        public init(image: Token, name: Token?, platform: Token?) {
            self.image = image
            self.name = name
            self.platform = platform
        }
    }

    /// What COPY or ADD takes.
    public enum FileSource: Sendable {
        /// A path, glob or (for ADD) URL; unexpanded.
        case path(Token)
        /// A heredoc, a file of the heredoc's name; `text` is unexpanded, its leading tabs removed where `<<-` asks for it.
        case inline(name: String, text: String, expands: Bool, at: SourceRange)

        /// The place in the instruction.
        public var range: SourceRange {
            switch self {
            case .path(let token): token.range
            case .inline(_, _, _, let range): range
            }
        }
    }

    /// `COPY`. All words are unexpanded; BuildKit expands sources, destination, `--chown` and `--chmod`.
    public struct Copy: Sendable {
        public let sources: [FileSource]
        public let destination: Token
        /// A stage, its number, an image or a named context.
        public let from: Token?
        public let chown: Token?
        public let chmod: Token?
        public let isLinked: Bool
        /// Whether the sources' parent directories are kept: `--parents`.
        public let keepsParents: Bool
        /// Patterns as in `.dockerignore`.
        public let excludes: [Token]

        public init(
            sources: [FileSource], destination: Token, from: Token?, chown: Token?, chmod: Token?, isLinked: Bool,
            keepsParents: Bool, excludes: [Token]
        ) {
            self.sources = sources
            self.destination = destination
            self.from = from
            self.chown = chown
            self.chmod = chmod
            self.isLinked = isLinked
            self.keepsParents = keepsParents
            self.excludes = excludes
        }
    }

    /// `ADD`. All words are unexpanded; BuildKit expands sources, destination, `--chown`, `--chmod` and `--checksum`.
    public struct Add: Sendable {
        public let sources: [FileSource]
        public let destination: Token
        public let chown: Token?
        public let chmod: Token?
        public let checksum: Token?
        public let isLinked: Bool
        /// `--keep-git-dir`, or `nil` where it is not given.
        public let keepsGitDirectory: Bool?
        /// `--unpack`, or `nil` where it is not given (then local archives are unpacked and remote ones not).
        public let unpacks: Bool?
        public let excludes: [Token]

        public init(
            sources: [FileSource], destination: Token, chown: Token?, chmod: Token?, checksum: Token?,
            isLinked: Bool, keepsGitDirectory: Bool?, unpacks: Bool?, excludes: [Token]
        ) {
            self.sources = sources
            self.destination = destination
            self.chown = chown
            self.chmod = chmod
            self.checksum = checksum
            self.isLinked = isLinked
            self.keepsGitDirectory = keepsGitDirectory
            self.unpacks = unpacks
            self.excludes = excludes
        }
    }

    /// A `NAME=VALUE` of ENV or LABEL, quotes kept, unexpanded.
    public struct Assignment: Hashable, Sendable {
        public let name: Token
        public let value: Token
        /// Whether it was written in the old form, `NAME VALUE`, where the value is the rest of the line.
        public let isLegacy: Bool

        public init(name: Token, value: Token, isLegacy: Bool) {
            self.name = name
            self.value = value
            self.isLegacy = isLegacy
        }
    }

    /// A `NAME` or `NAME=VALUE` of ARG, quotes kept, unexpanded.
    public struct ArgumentDeclaration: Hashable, Sendable {
        public let name: Token
        /// The default value, or `nil` where there is no `=`.
        public let value: Token?

        public init(name: Token, value: Token?) {
            self.name = name
            self.value = value
        }
    }
}
