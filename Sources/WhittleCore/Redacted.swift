/// A value that must not be shown: printing, interpolating or dumping it gives `[redacted]`.
public struct Redacted<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The value itself. Every use is a place to review.
    public let revealed: Value

    public init(_ value: Value) { revealed = value }

    public var description: String { "[redacted]" }
    public var debugDescription: String { "[redacted]" }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
