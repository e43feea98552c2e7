public import WhittleCore

extension Instruction {
    /// A command of RUN, CMD, ENTRYPOINT or HEALTHCHECK.
    public enum CommandLine: Hashable, Sendable {
        /// For the shell: the text as one token, continuations joined; empty where nothing follows the keyword.
        case shell(Token)
        /// JSON form: the arguments themselves, possibly none.
        case exec([Token])

        /// The arguments without the shell: one text, or the words of the JSON form.
        public var arguments: [String] {
            switch self {
            case .shell(let command): [command.text]
            case .exec(let words): words.map(\.text)
            }
        }

        /// Whether the shell is put in front.
        public var isShell: Bool {
            if case .shell = self { true } else { false }
        }
    }

    /// `RUN`.
    public struct Run: Sendable {
        public let command: CommandLine
        /// In their order, each still to be expanded and converted with ``RunMountFlag/mount(expanding:)``.
        public let mounts: [RunMountFlag]
        public let network: Network
        public let security: Security
        public let devices: [RunDevice]
        /// Inline files; with a command that is only `<<NAME`, the first one is the script.
        public let heredocs: [Heredoc]

        /// `--network`.
        public enum Network: String, CaseIterable, Hashable, Sendable {
            case `default`
            case none
            case host
        }

        /// `--security`.
        public enum Security: String, CaseIterable, Hashable, Sendable {
            case sandbox
            case insecure
        }

        public init(
            command: CommandLine, mounts: [RunMountFlag], network: Network, security: Security,
            devices: [RunDevice], heredocs: [Heredoc]
        ) {
            self.command = command
            self.mounts = mounts
            self.network = network
            self.security = security
            self.devices = devices
            self.heredocs = heredocs
        }
    }

    /// `RUN --device`: a CDI device, for instance `vendor.com/gpu=all`.
    public struct RunDevice: Hashable, Sendable {
        public let name: String
        /// Whether the build fails where the device is missing.
        public let isRequired: Bool
        /// The flag's value as written.
        public let value: Token

        public init(name: String, isRequired: Bool, value: Token) {
            self.name = name
            self.isRequired = isRequired
            self.value = value
        }
    }

    /// `HEALTHCHECK`.
    public enum Healthcheck: Sendable {
        /// `HEALTHCHECK NONE`: the check of the base image is switched off.
        case none
        case command(CommandLine, Timing)

        /// The flags of a health check; `nil` or zero where the runtime's default holds.
        public struct Timing: Hashable, Sendable {
            public let interval: Duration
            public let timeout: Duration
            public let startPeriod: Duration
            public let startInterval: Duration
            public let retries: Int

            public init(
                interval: Duration = .zero, timeout: Duration = .zero, startPeriod: Duration = .zero,
                startInterval: Duration = .zero, retries: Int = 0
            ) {
                self.interval = interval
                self.timeout = timeout
                self.startPeriod = startPeriod
                self.startInterval = startInterval
                self.retries = retries
            }
        }
    }

    /// `ONBUILD`.
    public struct Onbuild: Sendable {
        /// What goes into the image configuration: the wrapped instruction as text, with its heredocs.
        public let expression: String
        /// The keyword of the wrapped instruction as written. It is checked as an instruction only when an image is
        /// built from this one: ``Instruction/init(parsingTrigger:of:)``.
        public let keyword: Token
        /// Why no build on top can succeed: there is no instruction of that keyword. `nil` where there is one.
        public let problem: BuildError?

        public init(expression: String, keyword: Token, problem: BuildError? = nil) {
            self.expression = expression
            self.keyword = keyword
            self.problem = problem
        }
    }
}
