/// Where a sparse file has data.
///
/// Formats: GNU tar manual, "Storing Sparse Files" (old GNU format, pax 0.0, 0.1 and 1.0).
struct TarSparseMap {
    /// A stretch of data in the expanded file.
    struct Stretch {
        let offset: Int64
        let end: Int64
    }

    /// More stretches than this are refused: a map of a terabyte file in single blocks, and a bound for memory.
    private static let limit = 1 << 20

    /// The expanded size.
    var size: Int64 = 0
    /// Whether the map itself is at the start of the data (pax 1.0).
    var isInData = false
    private var stretches: [Stretch] = []
    private var next = 0
    /// pax 1.0: numbers read so far, and the digits of one that a block's end cut.
    private var numbers: [Int64] = []
    private var digits: [UInt8] = []

    var storedSize: Int64 { stretches.reduce(0) { $0 + $1.end - $1.offset } }

    /// Whether the stretches are in order, apart and inside the file.
    var isValid: Bool {
        var last: Int64 = 0
        for stretch in stretches {
            guard stretch.offset >= last, stretch.end <= size else { return false }
            last = stretch.end
        }
        return size >= 0
    }

    mutating func add(offset: Int64, count: Int64) throws {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard offset >= 0, count >= 0, !overflow else {
            throw TarHeaderBlock.Problem("a sparse map with impossible numbers")
        }
        guard stretches.count < Self.limit else {
            throw TarHeaderBlock.Problem("a sparse map of more than \(Self.limit) parts")
        }
        // An empty stretch only marks the end of the file.
        if count > 0 { stretches.append(Stretch(offset: offset, end: end)) }
    }

    /// Takes the map of an old GNU header; returns whether blocks with more follow.
    mutating func add(gnuHeader block: [UInt8]) throws -> Bool {
        size = try TarHeaderBlock.number(block[483..<495])
        try add(gnuEntries: block[386..<482])
        return block[482] != 0
    }

    /// Takes a block that continues an old GNU map; returns whether another follows.
    mutating func add(gnuBlock block: [UInt8]) throws -> Bool {
        try add(gnuEntries: block[0..<504])
        return block[504] != 0
    }

    private mutating func add(gnuEntries bytes: ArraySlice<UInt8>) throws {
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: 24) {
            guard bytes[start] != 0 else { return }
            try add(
                offset: try TarHeaderBlock.number(bytes[start..<start + 12]),
                count: try TarHeaderBlock.number(bytes[start + 12..<start + 24]))
        }
    }

    /// Takes a block of a pax 1.0 map (decimal numbers, a line each: how many stretches, then offset and size of each);
    /// returns whether more blocks follow.
    mutating func add(dataBlock block: [UInt8]) throws -> Bool {
        for byte in block {
            if let count = numbers.first, numbers.count == 1 + 2 * Int(count) { break }
            guard byte == UInt8(ascii: "\n") else {
                digits.append(byte)
                continue
            }
            guard digits.count <= 20, let number = Int64(String(decoding: digits, as: UTF8.self)), number >= 0 else {
                throw TarHeaderBlock.Problem("a sparse map with impossible numbers")
            }
            if numbers.isEmpty, number > Int64(Self.limit) {
                throw TarHeaderBlock.Problem("a sparse map of more than \(Self.limit) parts")
            }
            numbers.append(number)
            digits = []
        }
        guard digits.count <= 20 else { throw TarHeaderBlock.Problem("a sparse map with impossible numbers") }
        guard let count = numbers.first, numbers.count == 1 + 2 * Int(count) else { return true }
        for index in 0..<Int(count) { try add(offset: numbers[1 + 2 * index], count: numbers[2 + 2 * index]) }
        return false
    }

    /// The stretch that holds `position` or is the next after it. Positions only grow.
    mutating func stretch(containingOrAfter position: Int64) -> Stretch? {
        while next < stretches.count, stretches[next].end <= position { next += 1 }
        return next < stretches.count ? stretches[next] : nil
    }
}
