internal import Synchronization
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// The handlers of this machine's kernel, read when the first foreign program is met.
enum BinaryHandlers {
    private static let directory = "/proc/sys/fs/binfmt_misc"
    private static let found = Mutex<Handlers?>(nil)

    private struct Handlers {
        /// `nil` where they cannot be read.
        let list: [BinaryHandler]?
    }

    /// - Parameter scratch: where a file system may be mounted for a moment.
    /// - Returns: the enabled ones; `nil` where this process cannot read them, though there may be some.
    static func ofMachine(_ scratch: String) -> [BinaryHandler]? {
        found.withLock { found in
            if let found { return found.list }
            let list = read(directory) ?? readMounted(scratch)
            found = Handlers(list: list)
            return list
        }
    }

    /// The interpreters that steps have been given as mounts; empty while no foreign program was met.
    static var mountedInterpreters: [String] {
        found.withLock { found in (found?.list ?? []).filter { !$0.isFixed }.map(\.interpreter) }
    }

    /// The handlers in a mounted binfmt_misc; `nil` where none is mounted there.
    static func read(_ directory: String) -> [BinaryHandler]? {
        // What cannot be read is as good as not there: the kernel still tells when the program is started.
        guard let status = try? text("\(directory)/status") else { return nil }
        guard status.hasPrefix("enabled"), let names = try? RootDirectory(directory).names(in: "/") else { return [] }
        return names.map(\.description).filter { $0 != "status" && $0 != "register" }.sorted()
            .compactMap { name in
                // As above.
                (try? text("\(directory)/\(name)")).flatMap { BinaryHandler(name, parsing: $0) }
            }
    }

    /// Mounts the file system where nobody has. Only in the machine's own user namespace: in another one that would be a
    /// new one without handlers, and the kernel would go by that.
    private static func readMounted(_ scratch: String) -> [BinaryHandler]? {
        let target = scratch + "/binfmt"
        // As above.
        guard (try? text("/proc/self/uid_map"))?.split(separator: " ").map(String.init) == ["0", "0", "4294967295"],
            (try? Syscall.makeDirectory(target, mode: 0o700)) != nil, (try? Mount.binaryFormats(at: target)) != nil
        else { return nil }
        let handlers = read(target)
        // The mount ends with this process, like the directory.
        try? Mount.unmount(target)
        return handlers
    }

    private static func text(_ path: String) throws -> String? {
        try FileReading.bytes(ofFileAt: path, limit: 1 << 16).map {
            String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: "\n")
        }
    }
}
