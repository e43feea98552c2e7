/// Decides after each failed attempt at a request whether and when to make another: a pure state machine.
package struct RetryState: Sendable {
    /// What happened to an attempt.
    package enum Event: Sendable {
        case failed(HTTPFailure.Kind)
        /// An answer with a status that is no success, and its `Retry-After`.
        case answered(status: Int, retryAfter: Duration?)
    }

    package enum Decision: Hashable, Sendable {
        case retry(after: Duration)
        case giveUp
    }

    private let policy: RetryPolicy
    private var attempts = 0

    package init(_ policy: RetryPolicy) { self.policy = policy }

    /// Notes that an attempt brought part of what was asked for: a long download may be cut many times.
    package mutating func noteProgress() { attempts = 0 }

    /// Whether a status says that the same request may well succeed later.
    package static func isPassing(status: Int) -> Bool { [408, 429, 500, 502, 503, 504].contains(status) }

    /// The decision after `event`.
    ///
    /// - Parameter jitter: 0 ..< 1; spreads the clients that one overloaded server turned away.
    package mutating func handle(_ event: Event, jitter: Double) -> Decision {
        attempts += 1
        let limit: Int
        var wanted: Duration?
        switch event {
        case .failed(let kind):
            switch kind {
            case .cut, .timedOut, .unavailable: limit = policy.attempts
            case .notConnected, .hostUnknown: limit = policy.connectionAttempts
            case .tlsFailed, .untrusted, .proxyFailed, .other: return .giveUp
            }
        case .answered(let status, let retryAfter):
            guard Self.isPassing(status: status) else { return .giveUp }
            limit = policy.attempts
            wanted = retryAfter
        }
        guard attempts < limit else { return .giveUp }
        if let wanted {
            // A server that asks for more than a person would wait has, for this build, refused.
            return wanted <= policy.longestWait ? .retry(after: max(wanted, .zero)) : .giveUp
        }
        let doubled = policy.firstWait * (1 << min(attempts - 1, 16))
        return .retry(after: min(doubled, policy.longestBackoff) * (0.5 + jitter / 2))
    }
}

/// How often and how long ``RetryState`` tries.
package struct RetryPolicy: Sendable {
    /// In all, the first one included.
    package var attempts = 5
    /// In all, where no connection came about.
    package var connectionAttempts = 3
    /// Doubled for each further attempt, up to ``longestBackoff``; half of it to all of it is waited.
    package var firstWait = Duration.milliseconds(500)
    package var longestBackoff = Duration.seconds(15)
    /// The longest `Retry-After` that is waited for.
    package var longestWait = Duration.seconds(90)

    package init() {}

    /// For a file that a build asks for by its URL: a person is waiting for the answer.
    package static var download: RetryPolicy {
        var policy = RetryPolicy()
        policy.attempts = 3
        policy.connectionAttempts = 2
        policy.longestWait = .seconds(30)
        return policy
    }

    /// For a mirror, where the next place is tried rather than waited for.
    package static var mirror: RetryPolicy {
        var policy = RetryPolicy()
        policy.attempts = 2
        policy.connectionAttempts = 1
        policy.longestWait = .seconds(5)
        return policy
    }
}
