internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// A tree that git wrote, made independent of the machine: modes that do not come from a umask, one time.
///
/// Names are bytes, as git does not ask for an encoding. Nobody else changes the tree meanwhile.
struct GitTree {
    private let path: String
    private let removesRepositories: Bool
    private let time: FileTime?
    private let limit: ByteCount?
    private let cancellation: Cancellation

    /// - Parameters:
    ///   - removesRepositories: `.git` is removed wherever it is.
    ///   - time: of all files; `nil` leaves those that they have.
    ///   - limit: bytes of all files, and 512 for each.
    init(_ path: String, removesRepositories: Bool, time: FileTime?, limit: ByteCount?, cancellation: Cancellation) {
        self.path = path
        self.removesRepositories = removesRepositories
        self.time = time
        self.limit = limit
        self.cancellation = cancellation
    }

    /// - Parameter tooLarge: makes the error about a limit that is passed.
    func normalise(_ tooLarge: (ByteCount) -> BuildError) throws {
        let root = try describing("open", path) { () throws(Errno) in
            try Syscall.open(path, [.readOnly, .directory, .noFollow])
        }
        try root.withDescriptor { root in try normalise(root, tooLarge) }
    }

    private func normalise(_ root: FileDescriptor, _ tooLarge: (ByteCount) -> BuildError) throws {
        // Directories get their time last: writing in them changes it.
        var directories: [[CChar]] = [Self.name(".")]
        var next = 0
        var total: Int64 = 0
        while next < directories.count {
            try cancellation.check()
            let directory = directories[next]
            next += 1
            for name in try names(in: directory, root) {
                let entry = Self.joined(directory, name)
                if removesRepositories, name == Self.name(".git") {
                    let bytes = entry.dropLast().map { UInt8(bitPattern: $0) }
                    try TreeRemoval.remove(EntryPath(bytes: bytes), at: root, shownAs: path)
                    continue
                }
                let status = try call { () throws(Errno) in try Syscall.status(entry, at: root) }
                total += 512 + (status.isRegular ? Int64(status.size) : 0)
                if let limit, total > limit.bytes { throw tooLarge(limit) }
                if status.isDirectory {
                    directories.append(entry)
                    continue
                }
                try call { () throws(Errno) in
                    if status.isRegular {
                        let isWritable = status.mode & 0o200 != 0
                        let mode: UInt32 = status.mode & 0o100 != 0 ? 0o755 : isWritable ? 0o644 : 0o444
                        try Syscall.changeMode(entry, to: mode, at: root)
                    }
                    if let time { try Syscall.changeTimes(entry, to: time, at: root) }
                }
            }
        }
        for directory in directories.reversed() {
            try call { () throws(Errno) in
                try Syscall.changeMode(directory, to: 0o755, at: root)
                if let time { try Syscall.changeTimes(directory, to: time, at: root) }
            }
        }
    }

    private func names(in directory: [CChar], _ root: FileDescriptor) throws -> [[CChar]] {
        let opened = try call { () throws(Errno) in
            try Syscall.open(directory, [.readOnly, .directory, .noFollow], at: root)
        }
        let descriptor = opened.release()
        guard let stream = fdopendir(descriptor.rawValue) else {
            let error = Errno(rawValue: errno)
            // Open for reading: there is nothing to report.
            try? Syscall.close(descriptor)
            throw BuildError.fileSystem("read", path, error)
        }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw BuildError.fileSystem("read", path, Errno(rawValue: errno)) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                raw.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            if name != Self.name("."), name != Self.name("..") { names.append(name) }
        }
    }

    private func call<Value: ~Copyable>(_ body: () throws(Errno) -> Value) throws(BuildError) -> Value {
        do throws(Errno) { return try body() } catch { throw BuildError.fileSystem("prepare", path, error) }
    }

    private static func name(_ text: String) -> [CChar] { text.utf8.map { CChar(bitPattern: $0) } + [0] }

    private static func joined(_ directory: [CChar], _ name: [CChar]) -> [CChar] {
        directory == Self.name(".") ? name : directory.dropLast() + [CChar(bitPattern: 0x2F)] + name
    }
}
