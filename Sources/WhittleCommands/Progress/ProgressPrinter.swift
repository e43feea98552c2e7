internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WhittleCore
internal import WhittleGraph
internal import WhittleRuntime

/// Shows the events of one build on a stream, as they come, from any thread.
final class ProgressPrinter: Sendable {
    private enum Display {
        case plain
        case quiet
        case json(RawJSONProgress)
        case terminal(TerminalProgress)
    }

    private struct State {
        var display: Display
        /// Fed whatever the display is: it knows the last lines of the step that fails.
        var plain = PlainProgress()
        /// The step that failed first.
        var failure: Step?
        /// What waits while somebody else has the terminal; `nil` while nobody has.
        var held: String?
    }

    private let state: Mutex<State>
    private let start = ContinuousClock.now
    private let size: @Sendable () -> TerminalSize
    private let write: @Sendable (String) -> Void
    /// Hears the events too.
    private let listener: WorkflowReport?

    /// More is not kept for later while somebody else has the terminal: 4 MiB.
    private static let heldLimit = 4 << 20

    /// - Parameters:
    ///   - listener: hears the events as well.
    ///   - size: the window, asked before each drawing of the live view.
    ///   - write: puts text on the stream; called with a lock held, so the lines of two events never mix.
    init(
        mode: ProgressMode, settings: TerminalProgress.Settings = TerminalProgress.Settings(),
        listener: WorkflowReport? = nil,
        size: @escaping @Sendable () -> TerminalSize = { TerminalSize(of: .standardError) ?? .standard },
        write: @escaping @Sendable (String) -> Void = ProgressPrinter.writeToStandardError
    ) {
        let display: Display =
            switch mode {
            case .quiet: .quiet
            case .plain, .auto: .plain
            case .rawjson: .json(RawJSONProgress())
            case .tty: .terminal(TerminalProgress(settings))
            }
        state = Mutex(State(display: display))
        self.size = size
        self.write = write
        self.listener = listener
    }

    private var isQuiet: Bool {
        state.withLock { state in
            if case .quiet = state.display { true } else { false }
        }
    }

    private var now: Duration { ContinuousClock.now - start }

    func handle(_ event: StepEvent) {
        listener?.handle(event)
        state.withLock { state in
            if case .failed(let step, _) = event, state.failure == nil { state.failure = step }
            let text = state.plain.handle(event, at: now)
            switch state.display {
            case .quiet: break
            case .plain: emit(text, &state)
            case .json(var json):
                emit(json.handle(event, at: Self.wallClock), &state)
                state.display = .json(json)
            case .terminal(var terminal):
                terminal.handle(event, at: now)
                state.display = .terminal(terminal)
            }
        }
    }

    /// Prints what has become due; to be called about ten times a second.
    func tick() {
        state.withLock { state in
            switch state.display {
            case .quiet, .json: break
            case .plain: emit(state.plain.tick(at: now), &state)
            case .terminal(var terminal):
                guard state.held == nil else { return }
                let size = size()
                write(terminal.frame(columns: Int(size.columns), rows: Int(size.rows), at: now))
                state.display = .terminal(terminal)
            }
        }
    }

    private func emit(_ text: String, _ state: inout State) {
        guard !text.isEmpty else { return }
        guard let held = state.held else { return write(text) }
        if held.utf8.count < Self.heldLimit { state.held = held + text }
    }

    /// Leaves the terminal to `body`; what happens meanwhile is shown afterwards.
    func pausing<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async rethrows -> Value {
        state.withLock { state in
            state.held = ""
            guard case .terminal(var terminal) = state.display else { return }
            let size = size()
            write(terminal.clear(columns: Int(size.columns), rows: Int(size.rows)))
            state.display = .terminal(terminal)
        }
        defer {
            state.withLock { state in
                if let held = state.held.take(), !held.isEmpty { write(held) }
            }
        }
        return try await body()
    }

    /// Runs `body` while the build is shown, and prints the rest at the end.
    func whileShowing<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        // Nothing is printed, and a timer starts a thread.
        guard !isQuiet else { return try await body() }
        // Awaited by nobody: it only prints, and ends with the cancellation below.
        let ticker = Task {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
                tick()
            }
        }
        do {
            let value = try await body()
            ticker.cancel()
            finish(.built)
            return value
        } catch {
            ticker.cancel()
            finish(error is CancellationError ? .cancelled : .failed)
            throw error
        }
    }

    private func finish(_ ending: TerminalProgress.Ending) {
        state.withLock { state in
            switch state.display {
            case .quiet, .json: break
            case .plain: emit(state.plain.finish(at: now), &state)
            case .terminal(var terminal):
                let size = size()
                let (columns, rows) = (Int(size.columns), Int(size.rows))
                write(
                    terminal.clear(columns: columns, rows: rows) + terminal.summary(ending, columns: columns, at: now))
            }
            // A drawing that was due while this waited would come after the summary.
            state.display = .quiet
        }
    }

    /// Whether somebody wants the sizes of stages.
    var wantsSizes: Bool { listener?.wantsSizes ?? false }

    /// Says at the end of a build what ended it, on standard error, and leaves the report of a workflow.
    ///
    /// - Parameter error: `nil` where the build succeeded.
    func conclude(_ error: (any Error)?) {
        if error is CancellationError {
            Self.writeToStandardError("build cancelled\n")
        } else if let error {
            Self.writeToStandardError("\(failureSummary())\(ErrorText.of(error))\n")
        }
        listener?.finish(error, print: Self.writeToStandardError)
    }

    /// The last lines that a step wrote, where the display does not leave them on the screen.
    func tail(of step: Digest) -> [String] {
        state.withLock { state in
            if case .plain = state.display { return [] }
            return state.plain.tail(of: step)
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

    private static var wallClock: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
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
