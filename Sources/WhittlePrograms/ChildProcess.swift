internal import CWhittleLinux
package import SystemPackage
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// A process that this one started and must wait for.
///
/// It has a session of its own, so that what is typed at the terminal (Ctrl-C) reaches this process only, and no open
/// descriptors but the three standard ones.
package struct ChildProcess: ~Copyable {
    package let identifier: Int32
    /// A pidfd: readable once the process has ended.
    private let handle: OwnedDescriptor

    /// Starts the program at `path`.
    ///
    /// - Parameters:
    ///   - arguments: what the program sees as its arguments, its own name first.
    ///   - environment: `NAME=value`.
    ///   - standard: what becomes its standard input, output and error; they stay open here.
    ///   - entrances: the `cgroup.procs` files of the control groups that it starts in; none leaves it in this process's.
    package init(
        _ path: String, arguments: [String], environment: [String],
        standard: (input: FileDescriptor, output: FileDescriptor, error: FileDescriptor), entrances: [String] = []
    ) throws(Errno) {
        let descriptors = [standard.input.rawValue, standard.output.rawValue, standard.error.rawValue]
        let identifier = Self.withCStrings(arguments) { arguments in
            Self.withCStrings(environment) { environment in
                guard !entrances.isEmpty else { return whittle_spawn(path, arguments, environment, descriptors) }
                return Self.withCStrings(entrances) { entrances in
                    whittle_spawn_inside(path, arguments, environment, descriptors, entrances)
                }
            }
        }
        guard identifier >= 0 else { throw Errno(rawValue: errno) }
        let opened = whittle_pidfd_open(identifier)
        guard opened >= 0 else {
            let error = Errno(rawValue: errno)
            kill(identifier, SIGKILL)
            _ = Self.reap(identifier)
            throw error
        }
        self.identifier = identifier
        handle = OwnedDescriptor(owning: FileDescriptor(rawValue: opened))
    }

    /// Lends the descriptor that becomes readable when the process ends.
    package func withHandle<Value>(_ body: (FileDescriptor) -> Value) -> Value { handle.withDescriptor(body) }

    /// Sends `signal`; nothing happens where the process has ended.
    package func send(signal: CInt) {
        handle.withDescriptor { _ = whittle_pidfd_signal($0.rawValue, signal) }
    }

    /// Waits for the process to end, and forgets it.
    package consuming func wait() -> WaitStatus { Self.reap(identifier) }

    private static func reap(_ identifier: pid_t) -> WaitStatus {
        var status: CInt = 0
        while waitpid(identifier, &status, 0) == -1 {
            // ECHILD would mean that somebody else waits for our children.
            guard errno == EINTR else { preconditionFailure("the child \(identifier) is waited for elsewhere") }
        }
        return WaitStatus(rawValue: status)
    }

    private static func withCStrings<Value>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return (pointers + [nil]).withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the terminator is always there") }
            return body(base)
        }
    }
}

/// How a process ended, as wait(2) tells it.
package struct WaitStatus: Hashable, Sendable {
    package let rawValue: CInt

    /// The exit code; 128 and the number of the signal for a process that a signal ended, as shells have it.
    package var exitCode: Int32 {
        let signal = rawValue & 0x7f
        return signal == 0 ? (rawValue >> 8) & 0xff : 128 + signal
    }
}
