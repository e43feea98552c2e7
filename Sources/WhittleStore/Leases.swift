internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem

/// Something in a store that a process can hold, and a collector take away.
package enum StoreItem: Hashable, Sendable {
    case blob(Digest)
    /// A snapshot by its ID, and with it all that it stands on.
    case snapshot(String)
}

/// What one process uses of the store. As long as the process lives, no collector takes it away.
///
/// Kept in the file `leases` of the process's directory below `active/` (see ``ProcessScratch``): one line for each item,
/// `blob HEX` or `snapshot ID`. It counts while the process holds the lock of that directory, so it ends with the process,
/// however that ends.
///
/// A process first writes the lease and then looks whether the item is there. The file `leases.lock` is held shared for
/// the writing, and exclusively by a collector while it reads all leases and takes names away: so whoever finds an item
/// after it wrote the lease keeps it. Holding an item also sets its time of last use.
///
/// Safe to use from many threads at once.
package final class Leases: Sendable {
    private struct State: ~Copyable {
        var held: Set<StoreItem> = []
        var file: OwnedDescriptor?
        var lock: OwnedDescriptor?
    }

    private let layout: StoreLayout
    private let path: String
    private let state = Mutex(State())

    init(_ layout: StoreLayout, directory: String) {
        self.layout = layout
        path = directory + "/leases"
    }

    /// Holds items, whether or not they are there yet. Costs nothing for those that are held already, else a few system
    /// calls.
    ///
    /// - Throws: `file-system`; then nothing more is held than before.
    package func hold(_ items: [StoreItem]) throws(BuildError) {
        let new = try state.withLock { (state) throws(BuildError) -> [StoreItem] in
            let new = items.filter { !state.held.contains($0) }
            guard !new.isEmpty else { return [] }
            try describing("write file", path) { () throws(Errno) in try write(new, &state) }
            state.held.formUnion(new)
            return new
        }
        // The time is only a hint for the choice of what to remove; what is not there yet has none.
        for item in new { try? Syscall.changeTimes(item.path(in: layout), to: .now) }
    }

    private func write(_ items: [StoreItem], _ state: inout State) throws(Errno) {
        if state.file == nil { state.file = try Syscall.open(path, [.writeOnly, .create, .append], mode: 0o600) }
        if state.lock == nil { state.lock = try Self.openLock(layout) }
        let text = Array(items.map { $0.line + "\n" }.joined().utf8)
        try state.lock?.withDescriptor { (lock) throws(Errno) in
            try Syscall.lock(lock, exclusive: false)
            defer {
                // Never fails for a descriptor that was locked; closing it would end the lock as well.
                try? Syscall.unlock(lock)
            }
            try state.file?.withDescriptor { (file) throws(Errno) in
                try text.withUnsafeBufferPointer { (bytes) throws(Errno) in
                    try Syscall.writeAll(file, UnsafeRawBufferPointer(bytes))
                }
            }
        }
    }

    private static func openLock(_ layout: StoreLayout) throws(Errno) -> OwnedDescriptor {
        try Syscall.open(layout.leaseLock, [.readWrite, .create], mode: 0o600)
    }
}

// MARK: - For the collector

extension Leases {
    /// Runs `body` while no process can take a new lease, with all that are held by living processes.
    ///
    /// To be short: builds wait meanwhile.
    ///
    /// - Throws: `file-system` where the leases of a living process cannot be read; what `body` throws.
    package static func withAll<Value>(
        of layout: StoreLayout, _ body: (Set<StoreItem>) throws -> Value
    ) throws -> Value {
        let lock = try describing("lock", layout.leaseLock) { () throws(Errno) in try openLock(layout) }
        return try lock.withDescriptor { descriptor in
            try describing("lock", layout.leaseLock) { () throws(Errno) in
                try Syscall.lock(descriptor, exclusive: true)
            }
            defer {
                // As above.
                try? Syscall.unlock(descriptor)
            }
            return try body(try all(of: layout))
        }
    }

    /// What living processes hold. More may come while this is read, unless the lock is held.
    package static func all(of layout: StoreLayout) throws(BuildError) -> Set<StoreItem> {
        var items: Set<StoreItem> = []
        for name in try ProcessScratch.living(in: layout) {
            let path = layout.active + "/" + name + "/leases"
            guard let bytes = try FileReading.bytes(ofFileAt: path, limit: 256 << 20) else { continue }
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                if let item = StoreItem(line: String(decoding: line, as: UTF8.self)) { items.insert(item) }
            }
        }
        return items
    }
}

extension StoreItem {
    fileprivate var line: String {
        switch self {
        case .blob(let digest): "blob " + digest.hex
        case .snapshot(let id): "snapshot " + id
        }
    }

    /// `nil` for what another version of the program may write.
    fileprivate init?(line: String) {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2 else { return nil }
        switch words[0] {
        case "blob":
            guard let digest = try? Digest(parsing: "sha256:" + words[1]) else { return nil }
            self = .blob(digest)
        case "snapshot": self = .snapshot(words[1])
        default: return nil
        }
    }

    /// The file whose modification time is the time of last use.
    package func path(in layout: StoreLayout) -> String {
        switch self {
        case .blob(let digest): layout.blobs + "/" + digest.hex
        case .snapshot(let id): layout.snapshots + "/" + id + "/meta.json"
        }
    }
}
