internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// An open output to write to.
struct OutputSink: Sendable {
    private enum Target: Sendable {
        /// The descriptor is lent.
        case file(FileDescriptor, shownAs: String, isOwned: Bool)
        case body(@Sendable (UnsafeRawBufferPointer) throws(BuildError) -> Void)
    }

    private let target: Target

    /// - Parameter destination: what `descriptor` was opened for.
    init(_ descriptor: FileDescriptor, for destination: StreamDestination) {
        target = .file(descriptor, shownAs: destination.shown, isOwned: destination != .standardOutput)
    }

    /// Whatever `body` makes of the bytes.
    init(_ body: @escaping @Sendable (UnsafeRawBufferPointer) throws(BuildError) -> Void) { target = .body(body) }

    /// - Throws: `output-destination`; what the body throws.
    func write(_ bytes: UnsafeRawBufferPointer) throws(BuildError) {
        switch target {
        case .body(let body): try body(bytes)
        case .file(let descriptor, let path, _):
            do throws(Errno) {
                try Syscall.writeAll(descriptor, bytes)
            } catch {
                throw BuildError.outputFailed(path, error)
            }
        }
    }

    /// Writes at a place, for a sink that ``isSeekable``. Safe to call from several threads.
    ///
    /// - Throws: `output-destination`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(BuildError) {
        guard case .file(let descriptor, let path, _) = target else {
            preconditionFailure("a write at a place of a stream")
        }
        do throws(Errno) {
            try Syscall.writeAll(descriptor, bytes, at: offset)
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }

    /// Whether it is a regular file that only this output writes to, from its beginning. Standard output may be a file,
    /// too, but one whose position others go on from.
    func isSeekable() throws(BuildError) -> Bool {
        guard case .file(let descriptor, let path, true) = target else { return false }
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
