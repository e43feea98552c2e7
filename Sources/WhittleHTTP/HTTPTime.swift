package import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

/// Clocks and chance, so that tests need not wait.
package struct HTTPTime: Sendable {
    package var now: @Sendable () -> ContinuousClock.Instant
    /// The date of the world, for `Retry-After` in its date form.
    package var date: @Sendable () -> Timestamp
    package var sleep: @Sendable (Duration) async throws -> Void
    /// 0 ..< 1.
    package var jitter: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant, date: @escaping @Sendable () -> Timestamp,
        sleep: @escaping @Sendable (Duration) async throws -> Void, jitter: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.date = date
        self.sleep = sleep
        self.jitter = jitter
    }

    /// The clocks of this machine.
    package static let system = HTTPTime(
        now: { ContinuousClock.now },
        date: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(seconds: Int64(time.tv_sec))
        },
        sleep: { try await Task.sleep(for: $0) },
        jitter: { Double.random(in: 0..<1) })
}

/// Reads the header `Retry-After` (RFC 9110, section 10.2.3).
package enum RetryAfter {
    /// The wait that `text` asks for: a number of seconds, or a date in the preferred form
    /// (`Wed, 21 Oct 2015 07:28:00 GMT`). `nil` for anything else; never negative.
    package static func duration(_ text: String, now: Timestamp) -> Duration? {
        // A century, so that nothing overflows.
        if let seconds = UInt64(text) { return .seconds(min(seconds, 3_155_760_000)) }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", parts[1].count == 2,
            let month = months.firstIndex(where: { $0 == parts[2] })
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        guard let date = Timestamp(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z") else { return nil }
        return .seconds(max(0, date.seconds - now.seconds))
    }
}
