internal import Glibc
internal import Synchronization
internal import WhittleCore
internal import WhittleGraph

/// Shows the events of one build on a stream, as they come, from any thread.
final class ProgressPrinter: Sendable {
    /// How a build is shown; the values of `--progress`.
    enum Mode: String, CaseIterable, Sendable {
        case auto
        case plain
        case quiet
    }

    private struct State {
        var plain = PlainProgress()
        var warnings: [BuildWarning] = []
        /// The step that failed first, and how.
        var failure: Step?
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now
    private let isQuiet: Bool
    private let write: @Sendable (String) -> Void

    /// - Parameter write: puts text on the stream; called with a lock held, so the lines of two events never mix.
    init(mode: Mode, write: @escaping @Sendable (String) -> Void = ProgressPrinter.writeToStandardError) {
        isQuiet = mode == .quiet
        self.write = write
    }

    func handle(_ event: StepEvent) {
        state.withLock { state in
            if case .failed(let step, _) = event, state.failure == nil { state.failure = step }
            if case .warning(let warning) = event { state.warnings.append(warning) }
            let text = state.plain.handle(event, at: ContinuousClock.now - start)
            if !isQuiet, !text.isEmpty { write(text) }
        }
    }

    /// Prints what has become due; to be called about ten times a second.
    func tick() {
        guard !isQuiet else { return }
        state.withLock { state in
            let text = state.plain.tick(at: ContinuousClock.now - start)
            if !text.isEmpty { write(text) }
        }
    }

    /// Runs `body` while output that waits its turn is printed in time, and prints the rest at the end.
    func whileShowing<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async rethrows -> Value {
        // Awaited by nobody: it only prints, and ends with the cancellation below.
        let ticker = Task {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
                tick()
            }
        }
        defer {
            ticker.cancel()
            finish()
        }
        return try await body()
    }

    private func finish() {
        state.withLock { state in
            let text = state.plain.finish(at: ContinuousClock.now - start)
            if !isQuiet, !text.isEmpty { write(text) }
        }
    }

    /// The step that failed first with the last lines of its output, as a block above the error message; empty where
    /// no step failed or it wrote nothing.
    func failureSummary() -> String {
        state.withLock { state in
            guard let step = state.failure else { return "" }
            let lines = state.plain.tail(of: step.id)
            guard !lines.isEmpty else { return "" }
            let rule = String(repeating: "-", count: 6)
            return "\(rule)\n > \(step.name):\n" + lines.map { $0 + "\n" }.joined() + rule + "\n"
        }
    }

    static let writeToStandardError: @Sendable (String) -> Void = { text in
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(2, rest.baseAddress, rest.count)
                // A reader that went away must not end the build, and there is nowhere to say it.
                guard written > 0 || (written == -1 && errno == EINTR) else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[max(0, written)...])
            }
        }
    }
}
