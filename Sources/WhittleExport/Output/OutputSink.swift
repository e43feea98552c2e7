internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// An open output to write to. The descriptor is lent.
struct OutputSink: Sendable {
    private let descriptor: FileDescriptor
    private let path: String
    private let ownsFile: Bool

    /// - Parameter destination: what `descriptor` was opened for.
    init(_ descriptor: FileDescriptor, for destination: StreamDestination) {
        self.descriptor = descriptor
        path = destination.shown
        ownsFile = destination != .standardOutput
    }

    /// - Throws: `output-destination`.
    func write(_ bytes: UnsafeRawBufferPointer) throws(BuildError) {
        do throws(Errno) {
            try Syscall.writeAll(descriptor, bytes)
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }

    /// Writes at a place, for a sink that ``isSeekable``. Safe to call from several threads.
    ///
    /// - Throws: `output-destination`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(BuildError) {
        do throws(Errno) {
            try Syscall.writeAll(descriptor, bytes, at: offset)
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }

    /// Whether it is a regular file that only this output writes to, from its beginning. Standard output may be a file,
    /// too, but one whose position others go on from.
    func isSeekable() throws(BuildError) -> Bool {
        guard ownsFile else { return false }
        do throws(Errno) {
            return try Syscall.status(descriptor).isRegular
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }
}

extension StreamDestination {
    /// What messages call it.
    var shown: String {
        switch self {
        case .standardOutput: "standard output"
        case .file(let path): path
        }
    }
}
