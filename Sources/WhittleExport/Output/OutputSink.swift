internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// An open output to write to. The descriptor is lent.
struct OutputSink: Sendable {
    private let descriptor: FileDescriptor
    private let path: String

    /// - Parameter path: the destination as messages name it.
    init(_ descriptor: FileDescriptor, shownAs path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// - Throws: `output-destination`.
    func write(_ bytes: UnsafeRawBufferPointer) throws(BuildError) {
        do throws(Errno) {
            try Syscall.writeAll(descriptor, bytes)
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
