internal import WhittleCore
internal import WhittleRuntime

/// How a build is shown; the values of `--progress`.
enum ProgressMode: String, CaseIterable, Sendable {
    /// The live view on a terminal, plain lines elsewhere.
    case auto
    case tty
    case plain
    case quiet
    case rawjson

    /// The mode to use for a stream.
    ///
    /// - Parameters:
    ///   - isTerminal: whether the stream is one.
    ///   - term: `$TERM`.
    /// - Throws: `not-a-terminal`.
    func resolved(isTerminal: Bool, term: String?) throws(BuildError) -> ProgressMode {
        switch self {
        case .auto: return isTerminal && term != "dumb" ? .tty : .plain
        case .tty:
            guard isTerminal else { throw .notATerminal("standard error", for: "--progress=tty") }
            return .tty
        case .plain, .quiet, .rawjson: return self
        }
    }
}

extension TerminalProgress.Settings {
    /// What `--no-color`, `$NO_COLOR`, `$BUILDKIT_COLORS` and `$BUILDKIT_TTY_LOG_LINES` ask for.
    ///
    /// - Parameter variable: the value of an environment variable; `nil` where it is unset or empty.
    init(noColor: Bool, variable: (String) -> String?) {
        self.init()
        if noColor || variable("NO_COLOR") != nil {
            colors = .none
        } else if let text = variable("BUILDKIT_COLORS") {
            colors = ProgressColors(parsing: text)
        }
        if let lines = variable("BUILDKIT_TTY_LOG_LINES").flatMap({ Int($0) }), lines >= 0 {
            outputLines = min(lines, LineTail.limit)
        }
    }
}

extension BuildError.Code {
    /// Something was asked for that needs a terminal, and there is none.
    static let notATerminal = BuildError.Code(rawValue: "not-a-terminal")
}

extension BuildError {
    static func notATerminal(_ stream: String, for option: String) -> BuildError {
        BuildError(
            .notATerminal, "\(option) needs a terminal: \(stream) is none",
            hint: "run whittle in a terminal, or leave the option out")
    }
}
