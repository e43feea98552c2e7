#if canImport(Glibc)
    internal import Glibc
#endif

/// Looks for patterns in a stream that comes in pieces, as if it had no line ends. To be used from one thread.
///
/// Memory is one buffer, whatever the length of the stream.
final class StreamSearch {
    private let table: PatternTable
    private let buffer: UnsafeMutableRawBufferPointer
    /// Bytes at the start of the buffer that a match may begin in.
    private var kept = 0

    /// Pieces are searched in this size.
    static let chunkSize = 256 << 10

    init(_ table: PatternTable) {
        self.table = table
        buffer = .allocate(byteCount: Self.chunkSize + table.maximumLength, alignment: 64)
    }

    deinit { buffer.deallocate() }

    /// Begins another stream.
    func reset() { kept = 0 }

    /// Takes the next bytes.
    ///
    /// - Returns: the pattern that ends in them or in what came before.
    func feed(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var rest = bytes
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.chunkSize))
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            var count = kept
            append(piece, 0x0A, &count)
            let text = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if let match = table.firstMatch(in: text) { return match.pattern }
            let tail = min(count, max(0, table.maximumLength - 1))
            if tail < count, let base = buffer.baseAddress { memmove(base, base + (count - tail), tail) }
            kept = tail
        }
        return nil
    }

    /// Adds `bytes` without the line ends: newlines, then in what is between them carriage returns.
    private func append(_ bytes: UnsafeRawBufferPointer, _ lineEnd: CInt, _ count: inout Int) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let found = memchr(base, lineEnd, rest.count)
            let length = found.map { UnsafeRawPointer($0) - base } ?? rest.count
            let part = UnsafeRawBufferPointer(rebasing: rest[..<length])
            if lineEnd == 0x0A, memchr(base, 0x0D, length) != nil {
                append(part, 0x0D, &count)
            } else {
                UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: part)
                count += length
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[min(length + 1, rest.count)...])
        }
    }
}
