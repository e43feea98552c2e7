internal import CWhittleLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WhittleFileSystem

/// A program that serves until it is ended.
package final class LivingProgram: Sendable {
    private let child: Mutex<ChildProcess?>
    /// Held, so that the program can write to it.
    private let output: FileDescriptor

    /// Starts `program`, and waits until it has written a line, by which it says that it is ready. Blocks.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: `NAME=VALUE`, all of it.
    ///   - timeout: until the line.
    /// - Throws: `HelperProgram.Failure`, where it says nothing in time or ends too; then it does not run.
    package init(_ program: HelperProgram, _ arguments: [String], environment: [String], timeout: Duration) throws {
        var ends: [CInt] = [-1, -1]
        guard whittle_output_pipe(&ends) == 0 else { throw HelperProgram.Failure.notStarted(errno) }
        output = FileDescriptor(rawValue: ends[0])
        let writing = FileDescriptor(rawValue: ends[1])
        let started: ChildProcess
        do throws(Errno) {
            let nothing = try Syscall.open("/dev/null", [.readOnly])
            started = try nothing.withDescriptor { (input) throws(Errno) in
                try ChildProcess(
                    program.path, arguments: [program.name] + arguments, environment: environment,
                    standard: (input: input, output: writing, error: writing))
            }
        } catch {
            Glibc.close(ends[0])
            Glibc.close(ends[1])
            throw HelperProgram.Failure.notStarted(error.rawValue)
        }
        child = Mutex(started)
        Glibc.close(ends[1])
        guard Self.hasLine(ends[0], until: ContinuousClock.now + timeout) else {
            end()
            throw HelperProgram.Failure.timedOut
        }
    }

    /// Kills the program and waits for its end. Does nothing the second time.
    package func end() {
        child.withLock { child in
            guard let ended = child.take() else { return }
            kill(-ended.identifier, SIGKILL)
            _ = ended.wait()
        }
    }

    deinit {
        end()
        // Nothing was written that could be lost.
        try? Syscall.close(output)
    }

    private static func hasLine(_ descriptor: CInt, until deadline: ContinuousClock.Instant) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < deadline {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 100) > 0 else { continue }
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return false }
            if buffer[..<count].contains(UInt8(ascii: "\n")) { return true }
        }
        return false
    }
}
