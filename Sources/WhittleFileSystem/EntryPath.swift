/// The name of a directory entry, a relative path, or the target of a link: bytes as the kernel gave them.
///
/// Linux allows any byte but NUL, so this is not always UTF-8, and a `String` of it may not lead back to the file.
package struct EntryPath: Hashable, Sendable {
    /// Ends in NUL.
    private var storage: ContiguousArray<CChar>

    /// The empty path.
    package init() { storage = [0] }

    /// The bytes of `text`.
    package init(_ text: String) { storage = ContiguousArray(text.utf8CString) }

    /// Copies `bytes`, which hold no NUL.
    package init(_ bytes: UnsafeBufferPointer<CChar>) {
        storage = []
        storage.reserveCapacity(bytes.count + 1)
        storage.append(contentsOf: bytes)
        storage.append(0)
    }

    /// The path of `bytes`, which hold no NUL.
    package init(bytes: some Collection<UInt8>) {
        storage = []
        storage.reserveCapacity(bytes.count + 1)
        storage.append(contentsOf: bytes.lazy.map { CChar(bitPattern: $0) })
        storage.append(0)
    }

    /// Copies `bytes`, which hold no NUL.
    init(_ bytes: Slice<UnsafeRawBufferPointer>) {
        self.init(UnsafeRawBufferPointer(rebasing: bytes).assumingMemoryBound(to: CChar.self))
    }

    /// The number of bytes.
    package var count: Int { storage.count - 1 }
    package var isEmpty: Bool { count == 0 }

    /// Calls `body` with the NUL-terminated bytes.
    @inline(__always)
    package func withCString<Value: ~Copyable, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        // The array's own method returns copyable values only.
        var value: Value?
        try storage.withUnsafeBufferPointer { (buffer) throws(Failure) in
            if let base = buffer.baseAddress { value = try body(base) }
        }
        switch consume value {
        case .some(let value): return value
        case .none: preconditionFailure("an array with a terminator has an address")
        }
    }

    /// Calls `body` with the bytes, without the terminator.
    package func withBytes<Value: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try withCString { (pointer) throws(Failure) -> Value in
            try body(UnsafeRawBufferPointer(start: pointer, count: count))
        }
    }

    /// The bytes.
    package var bytes: [UInt8] { withBytes { Array($0) } }

    /// Whether the path begins with `/`.
    package var isAbsolute: Bool { storage[0] == 0x2f }

    /// This path, a `/` unless this path is empty, and `name`.
    package func appending(_ name: EntryPath) -> EntryPath {
        var path = self
        path.append(name)
        return path
    }

    /// Adds a `/`, unless this path is empty, and `name`.
    package mutating func append(_ name: EntryPath) {
        storage.removeLast()
        if !storage.isEmpty { storage.append(0x2f) }
        storage.append(contentsOf: name.storage)
    }

    /// Adds a `/`, unless this path is empty, and the bytes of `name`.
    mutating func append(_ name: UnsafeBufferPointer<CChar>) {
        storage.removeLast()
        if !storage.isEmpty { storage.append(0x2f) }
        storage.append(contentsOf: name)
        storage.append(0)
    }

    /// Drops everything after the first `count` bytes.
    mutating func truncate(to count: Int) {
        storage.removeLast(storage.count - count)
        storage.append(0)
    }

    /// The components between slashes; empty ones and `.` are left out.
    package var components: [EntryPath] {
        storage.dropLast().split(separator: 0x2f).compactMap { part in
            part.elementsEqual([0x2e]) ? nil : part.withUnsafeBufferPointer { EntryPath($0) }
        }
    }
}

extension EntryPath: Comparable {
    /// Byte order component by component: a directory comes right before what is in it (`a`, `a/b`, `a.txt`).
    package static func < (left: EntryPath, right: EntryPath) -> Bool {
        for (a, b) in zip(left.storage, right.storage) where a != b {
            return order(a) < order(b)
        }
        return left.storage.count < right.storage.count
    }

    /// The terminator first, then `/`, then all other bytes by value.
    private static func order(_ byte: CChar) -> UInt16 {
        switch UInt8(bitPattern: byte) {
        case 0: 0
        case 0x2f: 1
        case let other: UInt16(other) + 1
        }
    }
}

extension EntryPath: CustomStringConvertible {
    /// The path as text; bytes that are not UTF-8 become U+FFFD.
    package var description: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

extension EntryPath: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}
