internal import SystemPackage
internal import WhittleFileSystem

/// An open file that stays open as long as somebody refers to it.
final class SharedDescriptor {
    let descriptor: FileDescriptor
    private var isOpen = true

    init(_ owned: consuming OwnedDescriptor) { descriptor = owned.release() }

    /// Closes at once, and reports what close(2) reports: for a file that was written. Nobody may use it afterwards.
    func close() throws(Errno) {
        precondition(isOpen, "a file closed twice")
        isOpen = false
        try Syscall.close(descriptor)
    }

    deinit {
        // It was open for reading, or is given up: there is nothing to report.
        if isOpen { try? Syscall.close(descriptor) }
    }
}
