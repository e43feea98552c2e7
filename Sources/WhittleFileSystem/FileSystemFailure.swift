internal import SystemPackage

/// The cause of an error of the code `file-system`: lets code branch on the `Errno` that the message tells in words.
struct FileSystemFailure: Error, CustomStringConvertible {
    let error: Errno

    init(_ error: Errno) { self.error = error }

    /// Empty: the message says it.
    var description: String { "" }
}
