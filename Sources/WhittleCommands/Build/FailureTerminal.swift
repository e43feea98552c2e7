internal import Glibc
internal import SystemPackage
internal import WhittleEngine
internal import WhittleGraph
internal import WhittleRuntime

/// `--shell-on-failure`: the terminal of a person who looks at a failed step.
struct FailureTerminal: Sendable {
    let printer: ProgressPrinter

    var shell: FailureShell { FailureShell { try await open($0, $1) } }

    private func open(_ failure: FailureShell.Failure, _ enter: FailureShell.Enter) async throws {
        try await printer.pausing {
            let output = Self.output
            Self.write(announcement(of: failure), to: output)
            guard failure.shell != nil else { return }
            let raw = try RawTerminal(.standardInput)
            defer {
                raw.restore()
                Self.write("leaving the step; the build fails as it would have\n", to: output)
            }
            let attachment = ProcessAttachment(
                input: .standardInput, terminal: TerminalSize(of: .standardInput) ?? .standard)
            // Awaited by nobody: it only tells sizes, and ends with the cancellation below.
            let resizing = Task { await Self.tellSizes(to: attachment) }
            defer { resizing.cancel() }
            let term = StoreOptions.variable("TERM").map { ["TERM=\($0)"] } ?? []
            try await enter(attachment, term) { bytes in
                bytes.withUnsafeBytes { Self.write($0, to: output) }
            }
        }
    }

    private func announcement(of failure: FailureShell.Failure) -> String {
        let lines = printer.tail(of: failure.step.id).map { "\($0)\n" }.joined()
        let header = "\(failure.step.name)\n\(lines)failed: \(failure.message)\n"
        guard let shell = failure.shell else {
            return header + "there is no shell in its file system to look around with\n"
        }
        return header
            + "this is \(shell) in the step's file system, with its mounts, environment and user; 'exit' ends it\n"
    }

    /// Where the person looks: a stream that is the terminal, else the input, which is one.
    private static var output: FileDescriptor {
        [.standardError, .standardOutput].first { TerminalSize.isTerminal($0) } ?? .standardInput
    }

    private static func tellSizes(to attachment: ProcessAttachment) async {
        var size = TerminalSize(of: .standardInput)
        while !Task.isCancelled {
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
            guard let now = TerminalSize(of: .standardInput), now != size else { continue }
            size = now
            attachment.resize(to: now)
        }
    }

    private static func write(_ text: String, to output: FileDescriptor) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0), to: output) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to output: FileDescriptor) {
        var rest = bytes
        while !rest.isEmpty {
            let written = Glibc.write(output.rawValue, rest.baseAddress, rest.count)
            if written == -1, errno == EAGAIN {
                var entry = pollfd(fd: output.rawValue, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, 100)
                continue
            }
            // A terminal that went away must not end the build before its cause is told.
            guard written > 0 || (written == -1 && errno == EINTR) else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[max(0, written)...])
        }
    }
}
