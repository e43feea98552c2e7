internal import WhittleCore

/// Receives the entries of a tar archive, one after the other.
public protocol TarConsumer {
    /// An entry begins.
    mutating func begin(_ entry: TarEntry) throws
    /// Data of the current entry, in order.
    mutating func data(_ bytes: UnsafeRawBufferPointer) throws
    /// `count` zero bytes of the current entry: a hole of a sparse file.
    mutating func hole(_ count: Int64) throws
    /// The current entry is complete.
    mutating func end() throws
}

/// Reads a tar archive that arrives in pieces: ustar, pax, GNU (long names, big numbers, sparse files) and V7.
///
/// Memory is bounded: extended headers of more than ``headerLimit`` bytes are refused, data is handed on as it comes.
/// Nothing in an archive makes it trap; what breaks the format is a `malformed-archive` error with the byte offset.
public struct TarReader<Consumer: TarConsumer> {
    /// The most bytes of extended headers of one entry.
    public static var headerLimit: Int { 1 << 20 }

    /// Where entries go; to be looked at between calls.
    public var consumer: Consumer
    private var state = State.header
    private var block: [UInt8] = []
    /// Where the next byte is in the archive.
    private var offset: Int64 = 0
    private var pending = TarExtensions()
    private var global: [String: [UInt8]] = [:]
    private var data = DataProgress()

    private enum State {
        /// Collecting a header block.
        case header
        /// Collecting `remaining` bytes of an extended header of this type.
        case extended(type: UInt8, remaining: Int)
        /// Collecting the sparse blocks that follow a GNU sparse header of this entry.
        case sparseBlocks(TarEntry)
        /// Collecting the sparse map at the start of the data (pax sparse 1.0) of this entry.
        case sparseData(TarEntry)
        /// Handing on data.
        case data
        /// Skipping data and padding.
        case skip(Int64)
        /// After the two zero blocks.
        case end
    }

    /// The data of the current entry.
    private struct DataProgress {
        /// Bytes in the archive that are still to come.
        var stored: Int64 = 0
        var padding: Int64 = 0
        var sparse: TarSparseMap?
        /// Position in the expanded file.
        var position: Int64 = 0
    }

    /// A reader of a new archive.
    public init(_ consumer: Consumer) { self.consumer = consumer }

    /// Takes the next bytes of the archive.
    ///
    /// - Throws: ``WhittleCore/BuildError`` `malformed-archive`; what the consumer throws. Then the reader is done.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let taken = try take(rest)
            offset += Int64(taken)
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        }
    }

    /// Says that the archive is over.
    ///
    /// - Throws: `malformed-archive` where it ends inside an entry. A missing end mark is accepted, as by GNU tar.
    public mutating func finish() throws {
        switch state {
        case .end: return
        case .header where block.isEmpty && pending.isEmpty: return
        case .skip(let count) where count < tarBlockSize && pending.isEmpty: return
        default: throw BuildError.malformedArchive("it ends in the middle of an entry", at: offset)
        }
    }

    /// - Returns: how many bytes were used, at least 1.
    private mutating func take(_ bytes: UnsafeRawBufferPointer) throws -> Int {
        switch state {
        case .end: return bytes.count
        case .skip(let count):
            let taken = min(Int64(bytes.count), count)
            state = count == taken ? .header : .skip(count - taken)
            return max(1, Int(taken))
        case .data: return try takeData(bytes)
        case .header:
            return try collect(bytes, upTo: tarBlockSize) { reader, block in try reader.header(block) }
        case .extended(let type, let remaining):
            return try collect(bytes, upTo: remaining) { reader, payload in
                try reader.extended(type, payload, size: remaining)
            }
        case .sparseBlocks(let entry):
            return try collect(bytes, upTo: tarBlockSize) { reader, block in
                // In its place: a copy of the map for each block would take the square of its size.
                let continues = try reader.locating { try $0.data.sparse?.add(gnuBlock: block) ?? false }
                if !continues { try reader.begin(entry) }
            }
        case .sparseData(let entry):
            return try collect(bytes, upTo: tarBlockSize) { reader, block in
                reader.data.stored -= Int64(tarBlockSize)
                guard reader.data.stored >= 0 else {
                    throw reader.malformed("a sparse map that is longer than its entry")
                }
                let continues = try reader.locating { try $0.data.sparse?.add(dataBlock: block) ?? false }
                if !continues { try reader.begin(entry) }
            }
        }
    }

    private mutating func collect(
        _ bytes: UnsafeRawBufferPointer, upTo size: Int, _ complete: (inout Self, [UInt8]) throws -> Void
    ) throws -> Int {
        let taken = min(bytes.count, size - block.count)
        block.append(contentsOf: bytes[..<taken])
        if block.count == size {
            let whole = block
            block.removeAll(keepingCapacity: size == tarBlockSize)
            try complete(&self, whole)
        }
        return taken
    }
}

// MARK: - Headers

extension TarReader {
    private mutating func header(_ block: [UInt8]) throws {
        guard block.contains(where: { $0 != 0 }) else {
            // One zero block is the end as well: GNU tar warns and stops.
            guard pending.isEmpty else { throw malformed("an extended header without an entry") }
            state = .end
            return
        }
        let header = try locating { _ in try TarHeaderBlock(block) }
        switch header.type {
        case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
            guard header.size <= Int64(Self.headerLimit) - Int64(pending.byteCount) else {
                throw malformed("an extended header of \(header.size) bytes; the limit is \(Self.headerLimit)")
            }
            state = .extended(type: header.type, remaining: Int(header.size))
            if header.size == 0 { try extended(header.type, [], size: 0) }
        default: try entry(header)
        }
    }

    private mutating func extended(_ type: UInt8, _ payload: [UInt8], size: Int) throws {
        switch type {
        case UInt8(ascii: "x"): try locating { try $0.pending.add(records: payload) }
        case UInt8(ascii: "g"):
            var records = TarExtensions()
            try locating { _ in try records.add(records: payload) }
            global.merge(records.records) { $1 }
            guard global.reduce(0, { $0 + $1.key.utf8.count + $1.value.count }) <= Self.headerLimit else {
                throw malformed("global headers of more than \(Self.headerLimit) bytes")
            }
        case UInt8(ascii: "L"): pending.setName(payload)
        default: pending.setLinkTarget(payload)
        }
        skip(padding(after: Int64(size)))
    }

    private mutating func entry(_ header: TarHeaderBlock) throws {
        let extensions = pending.merged(over: global)
        pending = TarExtensions()
        guard var entry = try locating({ _ in try header.entry(with: extensions) }) else {
            // A type of some vendor: its data is of no use to us.
            let size = try locating { _ in try header.size(with: extensions) }
            return skip(size + padding(after: size))
        }
        let stored = entry.kind == .regular ? entry.size : 0
        data = DataProgress(stored: stored, padding: padding(after: stored))
        if header.type == UInt8(ascii: "S") {
            var map = TarSparseMap()
            let continues = try locating { _ in try map.add(gnuHeader: header.bytes) }
            entry.size = map.size
            data.sparse = map
            if continues { return state = .sparseBlocks(entry) }
        } else if entry.kind == .regular, let map = try locating({ _ in try extensions.sparseMap }) {
            entry.size = map.size
            data.sparse = map
            if map.isInData { return state = .sparseData(entry) }
        }
        try begin(entry)
    }

    /// Says where in the archive a problem is.
    private mutating func locating<Value>(_ body: (inout Self) throws -> Value) throws -> Value {
        do { return try body(&self) } catch let problem as TarHeaderBlock.Problem { throw malformed(problem.text) }
    }

    private mutating func begin(_ entry: TarEntry) throws {
        if let map = data.sparse {
            guard map.isValid, map.storedSize == data.stored else {
                throw malformed("a sparse map that contradicts its entry")
            }
        }
        try consumer.begin(entry)
        state = .data
        if data.stored == 0 { try endData() }
    }

    private mutating func skip(_ count: Int64) { state = count > 0 ? .skip(count) : .header }

    private func padding(after size: Int64) -> Int64 {
        (Int64(tarBlockSize) - size % Int64(tarBlockSize)) % Int64(tarBlockSize)
    }

    private func malformed(_ problem: String) -> BuildError { .malformedArchive(problem, at: offset) }
}

// MARK: - Data

extension TarReader {
    private mutating func takeData(_ bytes: UnsafeRawBufferPointer) throws -> Int {
        var count = Int(min(Int64(bytes.count), data.stored))
        if let stretch = data.sparse?.stretch(containingOrAfter: data.position) {
            if stretch.offset > data.position {
                try consumer.hole(stretch.offset - data.position)
                data.position = stretch.offset
            }
            count = Int(min(Int64(count), stretch.end - data.position))
        }
        try consumer.data(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        data.position += Int64(count)
        data.stored -= Int64(count)
        if data.stored == 0 { try endData() }
        return count
    }

    private mutating func endData() throws {
        if let sparse = data.sparse, sparse.size > data.position { try consumer.hole(sparse.size - data.position) }
        try consumer.end()
        skip(data.padding)
    }
}
