internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem

/// Questions to the person at the terminal: asked on standard error, answered on standard input.
enum TerminalPrompt {
    /// Whether there is somebody to ask.
    static var isPossible: Bool { isatty(STDIN_FILENO) == 1 }

    /// Asks, and waits for a line.
    ///
    /// - Parameter isSecret: nothing of the answer is shown while it is typed.
    /// - Returns: the line without its end; `nil` at the end of the input.
    /// - Throws: `CancellationError` where the command is interrupted; the terminal then is as it was.
    static func ask(_ question: String, isSecret: Bool = false) async throws -> String? {
        try await BlockingPool.shared.runCancellable { cancellation in
            var settings = termios()
            guard isSecret, tcgetattr(STDIN_FILENO, &settings) == 0 else {
                ProgressPrinter.writeToStandardError(question)
                return try readLine(cancellation)
            }
            let original = settings
            settings.c_lflag &= ~tcflag_t(ECHO)
            settings.c_lflag |= tcflag_t(ECHONL)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            defer {
                settings = original
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            }
            // Not before: who sees the question may type at once.
            ProgressPrinter.writeToStandardError(question)
            return try readLine(cancellation)
        }
    }

    private static func readLine(_ cancellation: Cancellation) throws -> String? {
        var line: [UInt8] = []
        while true {
            try cancellation.check()
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            // Ctrl-C is looked at ten times a second.
            guard poll(&waiting, 1, 100) > 0 else { continue }
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            guard line.count < 64 << 10 else { continue }
            line.append(byte)
        }
    }
}
