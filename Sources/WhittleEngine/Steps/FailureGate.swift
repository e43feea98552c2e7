internal import Synchronization
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleRuntime

/// Sees to it that one step at most is entered in a build, and that no other failure ends the build meanwhile.
final class FailureGate: Sendable {
    private enum State {
        case unused
        case entered
        case left
    }

    private let shell: FailureShell?
    private let state = Mutex(State.unused)

    init(_ shell: FailureShell?) { self.shell = shell }

    /// Offers the shell where `process` is the first to have failed; waits where another one is being looked at.
    ///
    /// - Throws: `CancellationError`; what the shell's terminal refused.
    func offer(_ process: StepProcess, in root: String, by runner: StepRunner, _ step: Step, _ error: any Error)
        async throws
    {
        guard let shell else { return }
        let isFirst = state.withLock { state in
            guard case .unused = state else { return false }
            state = .entered
            return true
        }
        guard isFirst else { return try await wait() }
        defer { state.withLock { $0 = .left } }
        let path = try Self.shell(in: root)
        let failure = FailureShell.Failure(step: step, message: BuildError.message(of: error), shell: path)
        try await shell(failure) { attachment, environment, receive in
            guard let path else { return }
            var interactive = process
            interactive.arguments = [path]
            let given = Set(process.environment.map { $0.prefix { $0 != "=" } })
            interactive.environment += environment.filter { !given.contains($0.prefix { $0 != "=" }) }
            _ = try await runner.run(interactive, root: root, attachment: attachment) { receive($0.bytes) }
        }
    }

    /// Waits until nobody looks at a failed step.
    func wait() async throws {
        // A person is at work: a twentieth of a second is soon enough.
        while state.withLock({ if case .entered = $0 { true } else { false } }) {
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func shell(in root: String) throws -> String? {
        let directory = try RootDirectory(root)
        return try ["/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/bin/ash", "/busybox/sh"].first {
            try directory.status(of: $0)?.isRegular == true
        }
    }
}
