internal import SystemPackage
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// A directory of a test's own, removed with all in it when the object goes; kept where `SAVE_TEMPS` is set.
package final class TemporaryDirectory: Sendable {
    /// Absolute, without a slash at the end.
    package let path: String

    package init(_ purpose: String = "test") throws {
        let base = Self.environment("TMPDIR") ?? "/tmp"
        path = "\(base)/whittle-\(purpose)-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try describing("create directory", path) { () throws(Errno) in
            try Syscall.makeDirectory(path, mode: 0o755)
        }
    }

    deinit {
        if Self.environment("SAVE_TEMPS") != nil {
            print("kept: \(path)")
        } else {
            // A test that leaves something mounted fails elsewhere; the directory is only litter.
            try? TreeRemoval.remove(path)
        }
    }

    /// The path of `name` in the directory.
    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes the directory `name` and those above it; gives its path.
    @discardableResult
    package func makeDirectory(_ name: String, mode: UInt32 = 0o755) throws -> String {
        try RootDirectory(path).makeDirectories(name, DirectoryCreation(mode: mode))
        return self(name)
    }

    /// Writes the file `name`, making directories above it; gives its path.
    @discardableResult
    package func write(_ name: String, _ contents: String = "", mode: UInt32 = 0o644) throws -> String {
        try write(bytes: Array(contents.utf8), name, mode: mode)
    }

    /// Writes the file `name`, making directories above it; gives its path.
    @discardableResult
    package func write(bytes: [UInt8], _ name: String, mode: UInt32 = 0o644) throws -> String {
        let root = try RootDirectory(path)
        if let slash = name.lastIndex(of: "/") { try root.makeDirectories(String(name[..<slash])) }
        try root.writeFile(name, bytes, mode: mode)
        return self(name)
    }

    /// Removes the file `name`.
    package func remove(_ name: String) throws {
        try describing("remove", self(name)) { () throws(Errno) in try Syscall.unlink(self(name)) }
    }

    /// Makes the symbolic link `name`.
    package func link(_ name: String, to target: String) throws {
        try RootDirectory(path).makeLink(name, to: target)
    }

    /// The text of the file `name`; `nil` where there is none.
    package func read(_ name: String) throws -> String? {
        try FileReading.bytes(ofFileAt: self(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// Whether the tests run as root, and so may mount, change owners and make device nodes.
package let isRoot = geteuid() == 0
