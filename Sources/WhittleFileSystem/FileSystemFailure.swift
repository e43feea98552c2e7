package import SystemPackage

/// The cause of an error of the code `file-system`: lets code branch on the `Errno` that the message tells in words.
package struct FileSystemFailure: Error, CustomStringConvertible {
    package let error: Errno

    package init(_ error: Errno) { self.error = error }

    /// Empty: the message says it.
    package var description: String { "" }
}
