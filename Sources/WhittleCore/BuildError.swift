/// A failure that a user, a file, a peer or the machine caused.
///
/// Branch on ``code``; show ``message`` and ``hint`` to a person; follow ``cause`` for the origin. The raw value of a
/// code is part of `docs/errors.md`: a code may be added, never renamed or reused.
public struct BuildError: Error, Sendable {
    public let code: Code
    /// One sentence, lower case, without a full stop: what was being done, to what, and what was found.
    public let message: String
    /// What the user can change, or `nil` where there is nothing to change.
    public let hint: String?
    /// The place that asked for the work, if one did.
    public let location: SourceLocation?
    public let cause: (any Error)?

    public init(
        _ code: Code, _ message: String, hint: String? = nil, at location: SourceLocation? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.location = location
        self.cause = cause
    }

    /// An open set, so that a code of another version survives a round trip.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
    }

    /// The same error, said about `location` where it had no place of its own.
    public func located(at location: SourceLocation?) -> BuildError {
        guard self.location == nil, let location else { return self }
        return BuildError(code, message, hint: hint, at: location, cause: cause)
    }
}

extension BuildError: CustomStringConvertible {
    /// What a terminal shows: `FILE:LINE:COLUMN: error[CODE]: MESSAGE`, the source line with a caret, the causes, the hint.
    public var description: String {
        var text = ""
        if let location {
            text += "\(location.file):\(location.range.start.line):\(location.range.start.column): "
        }
        text += "error[\(code.rawValue)]: \(message)"
        if let location { text += SourceExcerpt(location).description }
        var origin = cause
        while let current = origin {
            if let inner = current as? BuildError {
                text += "\n  cause: \(inner.message)"
                origin = inner.cause
            } else {
                // An empty text is that of a cause which the message already tells.
                let reason = "\(current)"
                if !reason.isEmpty { text += "\n  cause: \(reason)" }
                origin = nil
            }
        }
        if let hint { text += "\nhint: \(hint)" }
        return text
    }
}
