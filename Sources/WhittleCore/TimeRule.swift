/// What becomes of the times of files that are written to an output.
public enum TimeRule: Hashable, Sendable {
    /// Later times become this one; earlier ones stay.
    case atMost(Timestamp)
    /// All times become this one.
    case exactly(Timestamp)

    /// What `time` becomes, in whole seconds.
    public func apply(to time: Timestamp) -> Timestamp {
        switch self {
        case .atMost(let limit): limit < time ? Timestamp(seconds: limit.seconds) : time
        case .exactly(let time): Timestamp(seconds: time.seconds)
        }
    }
}
