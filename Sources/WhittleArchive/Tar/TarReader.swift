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
        /// Collecting the sparse blocks that follow a GNU sparse header.
        case sparseBlocks(TarEntry, TarSparseMap)
        /// Collecting the sparse map at the start of the data (pax sparse 1.0).
        case sparseData(TarEntry, TarSparseMap)
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
        case .sparseBlocks(let entry, let map):
            return try collect(bytes, upTo: tarBlockSize) { reader, block in
                try reader.sparseBlock(block, entry, map)
            }
        case .sparseData(let entry, let map):
            return try collect(bytes, upTo: tarBlockSize) { reader, block in
                try reader.sparseData(block, entry, map)
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
        let header: TarHeaderBlock
        do {
            header = try TarHeaderBlock(block)
        } catch let error as TarHeaderBlock.Problem {
            throw malformed(error.text)
        }
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
        do {
            switch type {
            case UInt8(ascii: "x"): try pending.add(records: payload)
            case UInt8(ascii: "g"):
                var records = TarExtensions()
                try records.add(records: payload)
                global.merge(records.records) { $1 }
                guard global.reduce(0, { $0 + $1.key.utf8.count + $1.value.count }) <= Self.headerLimit else {
                    throw TarHeaderBlock.Problem("global headers of more than \(Self.headerLimit) bytes")
                }
            case UInt8(ascii: "L"): pending.setName(payload)
            default: pending.setLinkTarget(payload)
            }
        } catch let error as TarHeaderBlock.Problem {
            throw malformed(error.text)
        }
        skip(padding(after: Int64(size)))
    }

    private mutating func entry(_ header: TarHeaderBlock) throws {
        let extensions = pending.merged(over: global)
        pending = TarExtensions()
        do {
            guard var entry = try header.entry(with: extensions) else {
                // A type of some vendor: its data is of no use to us.
                let size = (try extensions.size) ?? header.size
                skip(size + padding(after: size))
                return
            }
            let stored = entry.kind == .regular ? entry.size : 0
            data = DataProgress(stored: stored, padding: padding(after: stored))
            if header.type == UInt8(ascii: "S") {
                var map = TarSparseMap()
                let more = try map.add(gnuHeader: header.bytes)
                entry.size = map.size
                if more {
                    state = .sparseBlocks(entry, map)
                } else {
                    try begin(entry, map)
                }
            } else if let map = try extensions.sparseMap {
                entry.size = map.size
                if map.isInData {
                    state = .sparseData(entry, map)
                } else {
                    try begin(entry, map)
                }
            } else {
                try begin(entry, nil)
            }
        } catch let error as TarHeaderBlock.Problem {
            throw malformed(error.text)
        }
    }

    private mutating func sparseBlock(_ block: [UInt8], _ entry: TarEntry, _ map: TarSparseMap) throws {
        var map = map
        do {
            if try map.add(gnuBlock: block) {
                state = .sparseBlocks(entry, map)
                return
            }
        } catch let error as TarHeaderBlock.Problem {
            throw malformed(error.text)
        }
        try begin(entry, map)
    }

    private mutating func sparseData(_ block: [UInt8], _ entry: TarEntry, _ map: TarSparseMap) throws {
        var map = map
        data.stored -= Int64(tarBlockSize)
        guard data.stored >= 0 else { throw malformed("a sparse map that is longer than its entry") }
        do {
            if try map.add(dataBlock: block) {
                state = .sparseData(entry, map)
                return
            }
        } catch let error as TarHeaderBlock.Problem {
            throw malformed(error.text)
        }
        try begin(entry, map)
    }

    private mutating func begin(_ entry: TarEntry, _ map: TarSparseMap?) throws {
        if let map {
            guard map.isValid, map.storedSize == data.stored else {
                throw malformed("a sparse map that contradicts its entry")
            }
        }
        data.sparse = map
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
