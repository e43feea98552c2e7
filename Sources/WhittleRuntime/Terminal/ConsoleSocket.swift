internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleFileSystem

/// Where a runtime sends the terminal that it has made in a container: its option `--console-socket`.
final class ConsoleSocket: Sendable {
    /// What the runtime is told. Short, as the names of sockets have at most 107 bytes: through procfs.
    let path: String
    private let directory: OwnedDescriptor
    private let listener: OwnedDescriptor

    /// Listens in `directory`; the socket's name goes with that.
    init(in directory: String) throws(Errno) {
        let opened = try Syscall.open(directory, [.readOnly, .directory])
        let number = opened.withDescriptor { $0.rawValue }
        let raw = whittle_listen("/proc/self/fd/\(number)/console")
        guard raw >= 0 else { throw Errno(rawValue: errno) }
        path = "/proc/\(getpid())/fd/\(number)/console"
        self.directory = opened
        listener = OwnedDescriptor(owning: FileDescriptor(rawValue: raw))
    }

    /// Readable once the terminal comes.
    var pollDescriptor: CInt { listener.withDescriptor { $0.rawValue } }

    /// The terminal, or `nil` where it has not come.
    func receive() -> OwnedDescriptor? {
        let raw = whittle_receive_terminal(pollDescriptor)
        return raw < 0 ? nil : OwnedDescriptor(owning: FileDescriptor(rawValue: raw))
    }
}
