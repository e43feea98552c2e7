public import WhittleCore

/// Why a step ran, or did not.
public enum StepExplanation: Hashable, Sendable {
    /// It ran: what differs from the last time, most telling first; not empty. Sentences without a full stop, such as
    /// `src/app.js changed`.
    case ran([String])
    /// Its result was there: when it was made, where that is known, and what is worth saying besides.
    case cached(since: Timestamp?, note: String?)
}
