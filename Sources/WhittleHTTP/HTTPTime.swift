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
