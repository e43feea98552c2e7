internal import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

/// The bytes of a ``FileIndex`` file, checked, with the place of each directory.
///
/// Entries are compared where they lie: a build that finds nothing changed makes no object of any of them.
struct FileIndexTable: Sendable {
    private static let magic = Array("WHITIDX1".utf8)
    private static let headerSize = 8 + 32 + 8
    /// Everything of an entry but its name.
    private static let entrySize = 8 * 5 + 4 * 3 + 2 + 2 + 32
    /// Where things lie in an entry, see ``FileIndex``.
    private enum Offset {
        static let inode = 0
        static let device = 8
        static let size = 16
        static let modifiedSeconds = 24
        static let changedSeconds = 32
        static let modifiedNanoseconds = 40
        static let changedNanoseconds = 44
        static let mode = 48
        static let flags = 52
        static let nameLength = 54
        static let digest = 56
    }

    private struct Place: Sendable {
        let start: Int
        let count: Int
    }

    private let bytes: [UInt8]
    private var places: [EntryPath: Place] = [:]

    /// An index that knows nothing.
    init() { bytes = [] }

    /// Checks `bytes`; `nil` where they are no index, or one that was damaged.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.count >= Self.headerSize, bytes.starts(with: Self.magic),
            bytes[8..<40].elementsEqual(Digest(hashing: bytes[40...]).bytes)
        else { return nil }
        // The checksum is right, so the lengths are ours; they are checked all the same.
        let isWhole = bytes.withUnsafeBytes { Self.places(in: $0, &places) }
        guard isWhole else { return nil }
    }

    var directories: some Sequence<EntryPath> { places.keys }

    private static func places(in raw: UnsafeRawBufferPointer, _ places: inout [EntryPath: Place]) -> Bool {
        var position = headerSize
        let count = Int(clamping: load(raw, 40, UInt64.self))
        guard count <= raw.count / 16 else { return false }
        places.reserveCapacity(count)
        for _ in 0..<count {
            guard position + 16 <= raw.count else { return false }
            let pathLength = Int(load(raw, position, UInt32.self))
            let entries = Int(load(raw, position + 4, UInt32.self))
            let size = Int(clamping: load(raw, position + 8, UInt64.self))
            position += 16
            guard pathLength <= raw.count - position, size <= raw.count - position - pathLength else { return false }
            let path = EntryPath(raw[position..<position + pathLength])
            position += pathLength
            guard isWhole(raw, from: position, size: size, entries: entries) else { return false }
            places[path] = Place(start: position, count: entries)
            position += size
        }
        return position == raw.count
    }

    private static func isWhole(_ raw: UnsafeRawBufferPointer, from start: Int, size: Int, entries: Int) -> Bool {
        var position = start
        for _ in 0..<entries {
            guard position + entrySize <= start + size else { return false }
            position += entrySize + Int(load(raw, position + Offset.nameLength, UInt16.self))
        }
        return position == start + size
    }

    /// What is known of the entries of `directory`, by their index in `listing`; `nil` for nothing.
    func contents(of directory: EntryPath, _ listing: DirectoryListing) -> [FileIndex.Content?]? {
        guard let place = places[directory] else { return nil }
        var known = [FileIndex.Content?](repeating: nil, count: listing.entries.count)
        bytes.withUnsafeBytes { raw in
            var position = place.start
            var left = place.count
            for index in listing.entries.indices {
                listing.withName(index) { name in
                    while left > 0 {
                        let order = Self.compare(raw, position, name)
                        if order > 0 { return }
                        if order == 0, Self.stamp(raw, position) == FileStamp(listing.entries[index].status) {
                            known[index] = Self.content(raw, position)
                        }
                        position += Self.entrySize + Int(Self.load(raw, position + Offset.nameLength, UInt16.self))
                        left -= 1
                        if order == 0 { return }
                    }
                }
            }
        }
        return known
    }

    /// All that is known of `directory`, in byte order.
    func records(of directory: EntryPath) -> [FileIndex.Record] {
        guard let place = places[directory] else { return [] }
        return bytes.withUnsafeBytes { raw in
            var position = place.start
            return (0..<place.count).map { _ in
                let start = position + Self.entrySize
                position = start + Int(Self.load(raw, position + Offset.nameLength, UInt16.self))
                let entry = start - Self.entrySize
                return FileIndex.Record(
                    name: EntryPath(raw[start..<position]), stamp: Self.stamp(raw, entry),
                    content: Self.content(raw, entry))
            }
        }
    }

    /// The order of the name of the entry at `position` and `name`: negative, zero or positive.
    private static func compare(
        _ raw: UnsafeRawBufferPointer, _ position: Int, _ name: UnsafeBufferPointer<CChar>
    ) -> Int {
        let length = Int(load(raw, position + Offset.nameLength, UInt16.self))
        guard let mine = raw.baseAddress, let other = name.baseAddress else { return length - name.count }
        let order = memcmp(mine + position + entrySize, other, min(length, name.count))
        return order == 0 ? length - name.count : Int(order)
    }

    private static func stamp(_ raw: UnsafeRawBufferPointer, _ position: Int) -> FileStamp {
        FileStamp(
            inode: load(raw, position + Offset.inode, UInt64.self),
            device: load(raw, position + Offset.device, UInt64.self),
            size: load(raw, position + Offset.size, Int64.self),
            modified: FileTime(
                seconds: load(raw, position + Offset.modifiedSeconds, Int64.self),
                nanoseconds: load(raw, position + Offset.modifiedNanoseconds, UInt32.self)),
            changed: FileTime(
                seconds: load(raw, position + Offset.changedSeconds, Int64.self),
                nanoseconds: load(raw, position + Offset.changedNanoseconds, UInt32.self)),
            mode: load(raw, position + Offset.mode, UInt32.self))
    }

    private static func content(_ raw: UnsafeRawBufferPointer, _ position: Int) -> FileIndex.Content {
        let start = position + Offset.digest
        guard let digest = Digest(sha256Bytes: raw[start..<start + 32]) else {
            preconditionFailure("32 bytes are a digest")
        }
        return FileIndex.Content(
            digest: digest, hasAttributes: load(raw, position + Offset.flags, UInt16.self) & 1 != 0)
    }

    @inline(__always)
    private static func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ raw: UnsafeRawBufferPointer, _ offset: Int, _ type: Value.Type
    ) -> Value {
        Value(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension FileIndexTable {
    /// The bytes of an index of `records`, by directory.
    static func encode(_ records: [EntryPath: [FileIndex.Record]]) -> [UInt8] {
        var body: [UInt8] = []
        append(UInt64(records.count), to: &body)
        for (path, entries) in records.sorted(by: { $0.key < $1.key }) {
            let size = entries.reduce(0) { $0 + entrySize + $1.name.count }
            append(UInt32(path.count), to: &body)
            append(UInt32(entries.count), to: &body)
            append(UInt64(size), to: &body)
            path.withBytes { body.append(contentsOf: $0) }
            for entry in entries { append(entry, to: &body) }
        }
        return magic + Digest(hashing: body).bytes + body
    }

    private static func append(_ record: FileIndex.Record, to body: inout [UInt8]) {
        append(record.stamp.inode, to: &body)
        append(record.stamp.device, to: &body)
        append(record.stamp.size, to: &body)
        append(record.stamp.modified.seconds, to: &body)
        append(record.stamp.changed.seconds, to: &body)
        append(record.stamp.modified.nanoseconds, to: &body)
        append(record.stamp.changed.nanoseconds, to: &body)
        append(record.stamp.mode, to: &body)
        append(UInt16(record.content.hasAttributes ? 1 : 0), to: &body)
        append(UInt16(record.name.count), to: &body)
        body.append(contentsOf: record.content.digest.bytes)
        record.name.withBytes { body.append(contentsOf: $0) }
    }

    private static func append(_ value: some FixedWidthInteger, to body: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { body.append(contentsOf: $0) }
    }
}
