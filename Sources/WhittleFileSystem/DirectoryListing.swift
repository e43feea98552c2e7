internal import SystemPackage

/// The entries of one directory, sorted by the bytes of their names, with what statx(2) tells of each.
///
/// Names lie in one buffer and entries in one array: reading a directory of 20,000 files makes a handful of allocations.
struct DirectoryListing: Sendable {
    struct Entry: Sendable {
        /// The first eight bytes of the name, big endian, so that most comparisons are one instruction.
        fileprivate(set) var prefix: UInt64
        fileprivate(set) var offset: UInt32
        fileprivate(set) var length: UInt16
        fileprivate(set) var status: FileStatus
        /// The verdict of the filter that the directory was read with; `true` without one.
        fileprivate(set) var isTaken: Bool
    }

    /// NUL-terminated names, in the order the kernel gave them.
    private(set) var names: ContiguousArray<CChar> = []
    private(set) var entries: ContiguousArray<Entry> = []

    /// What a filter remembers of directories in this one, by the offset of their name.
    private var states: [UInt32: any Sendable] = [:]

    /// Reads the directory that `descriptor` is open on, from its beginning. Names that vanish meanwhile are left out.
    ///
    /// - Parameter filter: what it prunes is left out, and costs no system call.
    init(
        reading descriptor: FileDescriptor, filter: TreeFilter? = nil, path: EntryPath = EntryPath(),
        state: (any Sendable)? = nil
    ) throws(Errno) {
        let prefix = path.isEmpty ? "" : "\(path)/"
        try Self.forEachTypedName(in: descriptor) { (name, length, type) throws(Errno) in
            var verdict = TreeFilter.Verdict.take
            if let filter {
                let isDirectory: Bool
                if let type {
                    isDirectory = type == .directory
                } else {
                    isDirectory = try Syscall.status(name, at: descriptor).isDirectory
                }
                verdict = filter.judge(prefix + String(cString: name), isDirectory, state)
                guard verdict.isTaken || isDirectory && verdict.isSearched else { return }
            }
            let status: FileStatus
            do throws(Errno) {
                status = try Syscall.status(name, at: descriptor)
            } catch {
                if error == .noSuchFileOrDirectory { return }
                throw error
            }
            entries.append(
                Entry(
                    prefix: Self.prefix(name, length), offset: UInt32(names.count), length: UInt16(length),
                    status: status, isTaken: verdict.isTaken))
            if let state = verdict.state { states[UInt32(names.count)] = state }
            names.append(contentsOf: UnsafeBufferPointer(start: name, count: length + 1))
        }
        sort()
    }

    private mutating func sort() {
        names.withUnsafeBufferPointer { names in
            guard let base = names.baseAddress else { return }
            entries.sort { left, right in
                if left.prefix != right.prefix { return left.prefix < right.prefix }
                return Self.isBefore(base + Int(left.offset), base + Int(right.offset))
            }
        }
    }

    /// Calls `body` with the NUL-terminated name of the entry at `index`.
    @inline(__always)
    func withName<Value, Failure: Error>(
        _ index: Int, _ body: (UnsafeBufferPointer<CChar>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let entry = entries[index]
        return try names.withUnsafeBufferPointer { (names) throws(Failure) -> Value in
            try body(
                UnsafeBufferPointer(rebasing: names[Int(entry.offset)..<Int(entry.offset) + Int(entry.length)]))
        }
    }

    /// What the filter remembers of the directory at `index`.
    func state(_ index: Int) -> (any Sendable)? { states.isEmpty ? nil : states[entries[index].offset] }

    /// The index of the entry called `name`.
    func index(of name: EntryPath) -> Int? {
        name.withCString { (wanted) -> Int? in
            let prefix = Self.prefix(wanted, name.count)
            return names.withUnsafeBufferPointer { names -> Int? in
                guard let base = names.baseAddress else { return nil }
                var low = 0
                var high = entries.count
                while low < high {
                    let middle = (low + high) / 2
                    let entry = entries[middle]
                    let isBefore =
                        entry.prefix != prefix
                        ? entry.prefix < prefix : Self.isBefore(base + Int(entry.offset), wanted)
                    if isBefore { low = middle + 1 } else { high = middle }
                }
                guard low < entries.count, self.name(low) == name else { return nil }
                return low
            }
        }
    }

    /// The name of the entry at `index`.
    func name(_ index: Int) -> EntryPath { withName(index) { EntryPath($0) } }

    /// Calls `body` with each name but `.` and `..`, NUL-terminated, and its length, in the order of the kernel.
    static func forEachName(
        in descriptor: FileDescriptor, _ body: (UnsafePointer<CChar>, Int) throws(Errno) -> Void
    ) throws(Errno) {
        try forEachTypedName(in: descriptor) { (name, length, _) throws(Errno) in try body(name, length) }
    }

    /// As ``forEachName(in:_:)``, with the kind where the file system tells it along with the name.
    private static func forEachTypedName(
        in descriptor: FileDescriptor, _ body: (UnsafePointer<CChar>, Int, FileKind?) throws(Errno) -> Void
    ) throws(Errno) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let count = try Syscall.directoryEntries(descriptor, into: buffer)
            if count == 0 { return }
            var position = 0
            // struct linux_dirent64: inode (8 bytes), offset (8), length of the record (2), type (1), name.
            while position + 19 < count {
                let length = Int(buffer.load(fromByteOffset: position + 16, as: UInt16.self))
                guard let base = buffer.baseAddress, length > 19 else { return }
                let name = (base + position + 19).assumingMemoryBound(to: CChar.self)
                position += length
                let nameLength = self.length(of: name)
                let isDots = name[0] == 0x2e && (nameLength == 1 || nameLength == 2 && name[1] == 0x2e)
                // DT_* is the type of the mode, shifted; 0 is unknown.
                let type = UInt32(UInt8(bitPattern: (name - 1)[0]))
                if !isDots { try body(name, nameLength, type == 0 ? nil : FileKind(mode: type << 12)) }
            }
        }
    }

    private static func length(of name: UnsafePointer<CChar>) -> Int {
        var length = 0
        while name[length] != 0 { length += 1 }
        return length
    }

    private static func prefix(_ name: UnsafePointer<CChar>, _ length: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<min(8, length) { value |= UInt64(UInt8(bitPattern: name[index])) << UInt64(56 - 8 * index) }
        return value
    }

    private static func isBefore(_ left: UnsafePointer<CChar>, _ right: UnsafePointer<CChar>) -> Bool {
        var index = 0
        while left[index] == right[index], left[index] != 0 { index += 1 }
        return UInt8(bitPattern: left[index]) < UInt8(bitPattern: right[index])
    }
}
