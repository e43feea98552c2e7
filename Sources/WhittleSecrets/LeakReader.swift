internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem

/// Searches the contents of files. To be used from one thread.
final class LeakReader {
    private let plain: StreamSearch
    private let unpacked: StreamSearch
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: StreamSearch.chunkSize, alignment: 4096)

    init(_ patterns: SecretPatterns) {
        plain = StreamSearch(patterns.table)
        unpacked = StreamSearch(patterns.table)
    }

    deinit { buffer.deallocate() }

    /// The pattern that a file holds, and where.
    func search(
        _ file: FileDescriptor, _ status: FileStatus, _ cancellation: Cancellation
    ) throws -> (Int, SecretLeak.Place)? {
        plain.reset()
        var unpacker: Decompressor?
        var position: Int64 = 0
        // A file with fewer blocks than bytes has holes (or is compressed by the file system, then there are none).
        let isSparse = Int64(clamping: status.blocks) * 512 < status.size
        do {
            while true {
                if isSparse, try skipHole(file, &position, status.size) { break }
                try cancellation.check()
                let count = try Syscall.read(file, into: buffer, at: position)
                if count == 0 { break }
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if let pattern = plain.feed(bytes) { return (pattern, .contents) }
                if position == 0, Self.isPacked(bytes) { unpacker = makeUnpacker() }
                try unpack(bytes, &unpacker)
                position += Int64(count)
            }
        } catch let found as Found {
            return (found.pattern, .unpackedContents)
        }
        return nil
    }

    /// Moves to the data at or behind `position`; `true` where there is none.
    private func skipHole(_ file: FileDescriptor, _ position: inout Int64, _ size: Int64) throws(Errno) -> Bool {
        guard position < size, let data = try Syscall.seekData(file, from: position, size: size) else { return true }
        // Zeros lie between: no match goes on over them.
        if data != position { plain.reset() }
        position = data
        return false
    }

    // MARK: Packed files

    /// What ends the reading of a packed file in which a pattern was found.
    private struct Found: Error {
        let pattern: Int
    }

    /// gzip and zstd, the formats that unpack about as fast as a disk reads.
    private static func isPacked(_ head: UnsafeRawBufferPointer) -> Bool {
        head.starts(with: [0x1F, 0x8B]) || head.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
    }

    private func makeUnpacker() -> Decompressor {
        unpacked.reset()
        return Decompressor(limit: LeakScan.unpackedLimit) { [unpacked] bytes in
            if let pattern = unpacked.feed(bytes) { throw Found(pattern: pattern) }
        }
    }

    private func unpack(_ bytes: UnsafeRawBufferPointer, _ unpacker: inout Decompressor?) throws {
        do {
            try unpacker?.feed(bytes)
        } catch is BuildError {
            // Damaged, larger than the limit, or no such file after all: what was unpacked was searched.
            unpacker = nil
        }
    }
}
