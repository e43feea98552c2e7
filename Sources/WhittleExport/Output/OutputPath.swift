internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// A path that the user named as the destination of an output.
struct OutputPath {
    let text: String

    init(_ text: String) { self.text = text }

    /// The directory that holds the file: `.` for a plain name.
    var parent: String {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == text.utf8.startIndex ? "/" : String(text[..<slash])
    }

    /// What is there, links followed; `nil` for nothing.
    func status() throws(BuildError) -> FileStatus? {
        do throws(Errno) {
            return try Syscall.status(text, followingLinks: true)
        } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw BuildError.outputFailed(text, error)
        }
    }

    /// The path without links, for something that exists; the text itself where that cannot be told.
    func resolved() -> OutputPath {
        guard let real = realpath(text, nil) else { return self }
        defer { free(real) }
        return OutputPath(String(cString: real))
    }

    /// A new name in the same directory.
    func temporary() -> String { "\(text).\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp" }
}
