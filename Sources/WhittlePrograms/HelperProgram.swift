internal import CWhittleLinux
internal import SystemPackage
package import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// A program of this machine that does one thing for whittle, and ends.
package struct HelperProgram: Sendable {
    /// As it was looked for.
    package let name: String
    /// Absolute.
    package let path: String

    /// How a program ended, and what it wrote.
    package struct Result: Sendable {
        /// 128 and the number of the signal for a program that a signal ended.
        package let exitCode: Int32
        package let output: [UInt8]
        /// The last of what it wrote to standard error, see ``HelperProgram/errorLimit``.
        package let error: [UInt8]
    }

    /// Why there is no ``Result``.
    package enum Failure: Error, Hashable, Sendable {
        /// It was not started, for this reason of the kernel.
        case notStarted(CInt)
        /// It wrote more to standard output than it may.
        case outputTooLong(limit: Int)
        /// It did not end in time.
        case timedOut
    }

    /// What a caller learns of standard error at most: the end of it, where the reason stands.
    package static let errorLimit = 16 << 10

    /// Finds the program in the directories of `searchPath`, which are between colons; `nil` where it is in none.
    package init?(named name: String, searchPath: String) {
        for directory in searchPath.split(separator: ":") where directory.utf8.first == UInt8(ascii: "/") {
            let path = "\(directory)/\(name)"
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else {
                continue
            }
            self.name = name
            self.path = path
            return
        }
        return nil
    }

    /// Runs the program from its start to its end. Blocks.
    ///
    /// It has a session of its own, so there is no terminal that it could ask at. When it is not waited for any longer,
    /// it is killed together with what it started.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: `NAME=VALUE`, all of it.
    ///   - input: what it finds at standard input; it is not kept waiting for it.
    ///   - outputLimit: bytes of standard output.
    ///   - timeout: from its start to its end; `nil` for ever.
    ///   - receiveError: gets standard error as it comes.
    ///   - receiveOutput: gets standard output as it comes, which then is not in the result and has no limit.
    /// - Throws: ``Failure``, `CancellationError`, what `receiveOutput` throws. A program that fails is a result.
    package func run(
        _ arguments: [String], environment: [String], input: [UInt8] = [], outputLimit: Int = 1 << 20,
        timeout: Duration? = nil, cancellation: Cancellation? = nil, receiveError: ([UInt8]) -> Void = { _ in },
        receiveOutput: (([UInt8]) throws -> Void)? = nil
    ) throws -> Result {
        var pipes = try Pipes()
        let child: ChildProcess
        do throws(Errno) {
            child = try ChildProcess(
                path, arguments: [name] + arguments, environment: environment, standard: pipes.ofChild)
        } catch {
            throw Failure.notStarted(error.rawValue)
        }
        pipes.closeEndsOfChild()
        var collected = Collected(outputLimit: outputLimit)
        do {
            try Self.serve(
                &pipes, child.withHandle { $0.rawValue }, input, &collected,
                deadline: timeout.map { ContinuousClock.now + $0 }, cancellation, receiveError, receiveOutput)
        } catch {
            // The group is that of the session: what it started itself goes too.
            kill(-child.identifier, SIGKILL)
            _ = child.wait()
            throw error
        }
        let status = child.wait()
        return Result(exitCode: status.exitCode, output: collected.output, error: collected.error)
    }

    private struct Collected {
        let outputLimit: Int
        var output: [UInt8] = []
        var error: [UInt8] = []

        mutating func add(output bytes: ArraySlice<UInt8>) throws {
            guard output.count + bytes.count <= outputLimit else { throw Failure.outputTooLong(limit: outputLimit) }
            output += bytes
        }

        mutating func add(error bytes: ArraySlice<UInt8>) {
            error += bytes
            if error.count > HelperProgram.errorLimit { error.removeFirst(error.count - HelperProgram.errorLimit) }
        }
    }

    private static func serve(
        _ pipes: inout Pipes, _ handle: CInt, _ input: [UInt8], _ collected: inout Collected,
        deadline: ContinuousClock.Instant?, _ cancellation: Cancellation?, _ receiveError: ([UInt8]) -> Void,
        _ receiveOutput: (([UInt8]) throws -> Void)?
    ) throws {
        var rest = input[...]
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        if rest.isEmpty { pipes.closeInput() }
        var hasEnded = false
        while true {
            try cancellation?.check()
            if let deadline, ContinuousClock.now >= deadline { throw Failure.timedOut }
            var entries = [
                pollfd(fd: pipes.output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pipes.error, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pipes.input, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: hasEnded ? -1 : handle, events: Int16(POLLIN), revents: 0),
            ]
            // Cancellation is looked at ten times a second. What is still in the pipes after the end is read, and a process
            // that holds them open is not waited for.
            let count = poll(&entries, nfds_t(entries.count), hasEnded ? 0 : 100)
            if count < 0, errno == EINTR { continue }
            if entries[0].revents != 0, let bytes = Pipes.read(&pipes.output, &buffer) {
                if let receiveOutput { try receiveOutput(Array(bytes)) } else { try collected.add(output: bytes) }
            }
            if entries[1].revents != 0, let bytes = Pipes.read(&pipes.error, &buffer) {
                collected.add(error: bytes)
                receiveError(Array(bytes))
            }
            if entries[2].revents != 0 { pipes.write(&rest) }
            if hasEnded, entries[0].revents == 0, entries[1].revents == 0 { return }
            if entries[3].revents != 0 { hasEnded = true }
        }
    }

    /// The pipes of one child, closed with it.
    private struct Pipes: ~Copyable {
        /// -1 once closed.
        private(set) var input: CInt = -1
        fileprivate var output: CInt = -1
        fileprivate var error: CInt = -1
        private var childInput: CInt = -1
        private var childOutput: CInt = -1
        private var childError: CInt = -1

        init() throws {
            var ends: [CInt] = [-1, -1]
            guard whittle_input_pipe(&ends) == 0 else { throw Failure.notStarted(errno) }
            (childInput, input) = (ends[0], ends[1])
            guard whittle_output_pipe(&ends) == 0 else { throw Failure.notStarted(errno) }
            (output, childOutput) = (ends[0], ends[1])
            guard whittle_output_pipe(&ends) == 0 else { throw Failure.notStarted(errno) }
            (error, childError) = (ends[0], ends[1])
        }

        var ofChild: (input: FileDescriptor, output: FileDescriptor, error: FileDescriptor) {
            (
                FileDescriptor(rawValue: childInput), FileDescriptor(rawValue: childOutput),
                FileDescriptor(rawValue: childError)
            )
        }

        mutating func closeEndsOfChild() {
            for end in [childInput, childOutput, childError] where end >= 0 { close(end) }
            (childInput, childOutput, childError) = (-1, -1, -1)
        }

        mutating func closeInput() {
            if input >= 0 { close(input) }
            input = -1
        }

        /// What one read of `end` gives; `nil` where there is nothing or no more, which closes it.
        static func read(_ end: inout CInt, _ buffer: inout [UInt8]) -> ArraySlice<UInt8>? {
            let count = Glibc.read(end, &buffer, buffer.count)
            if count > 0 { return buffer[..<count] }
            if count < 0, errno == EINTR || errno == EAGAIN { return nil }
            close(end)
            end = -1
            return nil
        }

        /// Writes what fits. A child that reads no more is no fault of ours.
        mutating func write(_ rest: inout ArraySlice<UInt8>) {
            let count = Self.withoutSignal { rest.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) } }
            if count < 0, errno == EINTR || errno == EAGAIN { return }
            if count > 0 { rest = rest.dropFirst(count) }
            if count < 0 || rest.isEmpty { closeInput() }
        }

        /// Keeps SIGPIPE, which would end whittle, from a write to a child that has closed its input.
        private static func withoutSignal(_ write: () -> Int) -> Int {
            var blocked = sigset_t()
            var before = sigset_t()
            sigemptyset(&blocked)
            sigaddset(&blocked, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &blocked, &before)
            let count = write()
            let error = errno
            if count < 0, error == EPIPE {
                var none = timespec()
                sigtimedwait(&blocked, nil, &none)
            }
            pthread_sigmask(SIG_SETMASK, &before, nil)
            errno = error
            return count
        }

        deinit {
            for end in [input, output, error, childInput, childOutput, childError] where end >= 0 { close(end) }
        }
    }
}
