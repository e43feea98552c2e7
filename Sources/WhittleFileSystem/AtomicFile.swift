internal import SystemPackage
package import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

/// Writes files so that a reader, and a crash, see the old contents or the new and nothing else.
package enum AtomicFile {
    /// Replaces the file at `path` by one that holds `contents`: temporary file beside it, fsync, rename, fsync of the
    /// directory.
    ///
    /// - Parameters:
    ///   - mode: permission bits of the new file, whatever the umask.
    ///   - directory: where the temporary file is made, on the same file system; `nil` for beside the file.
    ///   - isDurable: `false` leaves out both fsyncs, for what can be made again: after a crash of the machine (not of
    ///     the process) the file may then be empty or old, so its reader must check it.
    /// - Throws: `BuildError` (`file-system`). The old file is then still there, and nothing else is left behind.
    package static func write(
        _ contents: UnsafeRawBufferPointer, to path: String, mode: UInt32 = 0o644, by directory: String? = nil,
        isDurable: Bool = true
    ) throws(BuildError) {
        let start = directory.map { $0 + "/" + (path.split(separator: "/").last.map(String.init) ?? "file") } ?? path
        let temporary = "\(start).\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp"
        let file = try describing("create file", temporary) { () throws(Errno) -> OwnedDescriptor in
            try Syscall.open(temporary, [.writeOnly, .create, .exclusive], mode: mode)
        }
        do throws(BuildError) {
            try describing("write file", path) { () throws(Errno) in
                try file.withDescriptor { (descriptor) throws(Errno) in
                    try Syscall.writeAll(descriptor, contents)
                    try Syscall.changeMode(descriptor, to: mode)
                    if isDurable { try Syscall.sync(descriptor) }
                }
            }
            try file.close(describing: "write file", path)
            try describing("replace file", path) { () throws(Errno) in try Syscall.rename(temporary, to: path) }
        } catch {
            // The first error matters; a temporary file that cannot be removed either is harmless.
            try? Syscall.unlink(temporary)
            throw error
        }
        if isDurable { try syncDirectory(parent(of: path)) }
    }

    /// Replaces the file at `path` by one that holds the UTF-8 bytes of `text`; see the other form.
    package static func write(
        _ text: String, to path: String, mode: UInt32 = 0o644, by directory: String? = nil, isDurable: Bool = true
    ) throws(BuildError) {
        try write(Array(text.utf8), to: path, mode: mode, by: directory, isDurable: isDurable)
    }

    /// Replaces the file at `path` by one that holds `bytes`; see the other form.
    package static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o644, by directory: String? = nil, isDurable: Bool = true
    ) throws(BuildError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(BuildError) in
            try write(UnsafeRawBufferPointer(buffer), to: path, mode: mode, by: directory, isDurable: isDurable)
        }
    }

    /// Makes names that were made or changed in the directory survive a crash of the machine.
    package static func syncDirectory(_ path: String) throws(BuildError) {
        try describing("sync directory", path) { () throws(Errno) in
            let directory = try Syscall.open(path, [.readOnly, .directory])
            try directory.withDescriptor { (descriptor) throws(Errno) in try Syscall.sync(descriptor) }
        }
    }

    /// The directory part of `path`: `.` for a plain name.
    static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2f) else { return "." }
        return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    }
}
