internal import CWhittleLinux
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// The processes below one process, as /proc shows them.
enum ProcessTree {
    /// Sends `signal` to every process that `ancestor` started, directly or not; not to `ancestor`.
    ///
    /// - Returns: how many got it. Processes that start while this runs may not.
    @discardableResult
    static func send(signal: CInt, below ancestor: pid_t) throws(BuildError) -> Int {
        try descendants(of: ancestor).count { deliver(signal, to: $0) }
    }

    /// Every process that `ancestor` started, directly or not; parents before their children.
    static func descendants(of ancestor: pid_t) throws(BuildError) -> [Entry] {
        let all = try processes()
        var children: [pid_t: [Entry]] = [:]
        for entry in all { children[entry.parent, default: []].append(entry) }
        var waiting = children[ancestor] ?? []
        var found: [Entry] = []
        while let entry = waiting.popLast() {
            waiting += children.removeValue(forKey: entry.identifier) ?? []
            found.append(entry)
        }
        return found
    }

    /// A process that was there when /proc was read.
    struct Entry: Hashable {
        let identifier: pid_t
        let parent: pid_t
        /// In clock ticks since the machine started: tells a process from a later one with the same number.
        let started: UInt64

        /// Reads a line of `/proc/PID/stat`: the name, in parentheses, can hold anything.
        init?(stat: some Collection<UInt8>) {
            let text = String(decoding: stat, as: UTF8.self)
            guard let space = text.firstIndex(of: " "), let identifier = pid_t(text[..<space]),
                let close = text.lastIndex(of: ")")
            else { return nil }
            // After the name: the state (field 3), the parent (4), …, the start (22).
            let fields = text[text.index(after: close)...].split(separator: " ")
            guard fields.count > 19, let parent = pid_t(fields[1]), let started = UInt64(fields[19]) else { return nil }
            self.identifier = identifier
            self.parent = parent
            self.started = started
        }
    }

    private static func processes() throws(BuildError) -> [Entry] {
        try RootDirectory("/proc").names(in: "/").compactMap { name in
            pid_t(name.description) == nil ? nil : entry(of: name.description)
        }
    }

    /// `nil` where there is no such process any more.
    private static func entry(of process: String) -> Entry? {
        do throws(Errno) {
            let file = try Syscall.open("/proc/\(process)/stat", .readOnly)
            return try file.withDescriptor { (descriptor) throws(Errno) in
                // The 52 fields of at most 20 digits, and a name of at most 64 bytes.
                try withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 1) { (buffer) throws(Errno) in
                    let count = try Syscall.read(descriptor, into: buffer)
                    return Entry(stat: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            }
        } catch {
            return nil
        }
    }

    private static func deliver(_ signal: CInt, to entry: Entry) -> Bool {
        let raw = whittle_pidfd_open(entry.identifier)
        guard raw >= 0 else { return false }
        let handle = OwnedDescriptor(owning: FileDescriptor(rawValue: raw))
        // The number may have gone to another process before the open; from here on it cannot.
        guard self.entry(of: String(entry.identifier))?.started == entry.started else { return false }
        return handle.withDescriptor { whittle_pidfd_signal($0.rawValue, signal) == 0 }
    }
}
