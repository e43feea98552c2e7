internal import WhittleArchive
internal import WhittleCore

/// The files of a ZIP archive in memory, by its central directory.
///
/// Format: APPNOTE 6.3.10, sections 4.3.12 and 4.3.16; of ZIP64 only what small archives may have, too.
struct ZipDirectory {
    struct Entry {
        let name: String
        let method: UInt16
        let compressedSize: Int
        let size: Int
        let headerOffset: Int
    }

    private let bytes: ArraySlice<UInt8>
    let entries: [Entry]
    /// A Java archive of a large program has some ten thousand.
    private static let entryLimit = 200_000

    /// Why bytes are no archive, as the end of a sentence.
    struct Invalid: Error { let reason: String }

    init(_ bytes: ArraySlice<UInt8>) throws(Invalid) {
        self.bytes = bytes
        guard let end = Self.endRecord(bytes) else { throw Invalid(reason: "it is no ZIP archive, or cut short") }
        let count = Self.number(bytes, end + 10, 2) ?? 0
        let size = Self.number(bytes, end + 12, 4) ?? 0
        let stated = Self.number(bytes, end + 16, 4) ?? 0
        // Programs that start themselves have a script in front: offsets count from behind it.
        let shift = end - size - stated
        guard shift >= 0, size <= end else { throw Invalid(reason: "its directory is outside of it") }
        var entries: [Entry] = []
        var place = end - size
        while entries.count < max(count, 1), place < end, Self.number(bytes, place, 4) == 0x0201_4B50 {
            guard entries.count < Self.entryLimit else { throw Invalid(reason: "it has too many files") }
            guard let method = Self.number(bytes, place + 10, 2), let compressed = Self.number(bytes, place + 20, 4),
                let size = Self.number(bytes, place + 24, 4), let nameLength = Self.number(bytes, place + 28, 2),
                let extraLength = Self.number(bytes, place + 30, 2), let noteLength = Self.number(bytes, place + 32, 2),
                let offset = Self.number(bytes, place + 42, 4), place + 46 + nameLength <= end
            else { throw Invalid(reason: "its directory is cut short") }
            let start = bytes.startIndex + place + 46
            let name = String(decoding: bytes[start..<start + nameLength], as: UTF8.self)
            entries.append(
                Entry(
                    name: name, method: UInt16(method), compressedSize: compressed, size: size,
                    headerOffset: shift + offset))
            place += 46 + nameLength + extraLength + noteLength
        }
        self.entries = entries
    }

    /// The contents of a file.
    func contents(of entry: Entry, limit: Int) throws(Invalid) -> ArraySlice<UInt8> {
        let invalid = Invalid(reason: "'\(entry.name.prefix(200))' in it is damaged")
        guard entry.size <= limit, entry.compressedSize <= limit else {
            throw Invalid(reason: "'\(entry.name.prefix(200))' in it is larger than \(limit >> 20) MiB")
        }
        guard Self.number(bytes, entry.headerOffset, 4) == 0x0403_4B50,
            let nameLength = Self.number(bytes, entry.headerOffset + 26, 2),
            let extraLength = Self.number(bytes, entry.headerOffset + 28, 2)
        else { throw invalid }
        let start = entry.headerOffset + 30 + nameLength + extraLength
        guard start + entry.compressedSize <= bytes.count else { throw invalid }
        let first = bytes.startIndex + start
        let data = bytes[first..<first + entry.compressedSize]
        switch entry.method {
        case 0: return data
        case 8:
            do throws(BuildError) { return try DeflateData.decompress(data, size: entry.size)[...] } catch {
                throw invalid
            }
        default: throw Invalid(reason: "'\(entry.name.prefix(200))' in it is compressed in a way that is not known")
        }
    }

    /// Where the record at the end of the archive is; a comment of up to 64 KiB may follow it.
    private static func endRecord(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 22 else { return nil }
        for place in stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 65_535), by: -1)
        where bytes[bytes.startIndex + place] == 0x50 && number(bytes, place, 4) == 0x0605_4B50 {
            return place
        }
        return nil
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ size: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        let start = bytes.startIndex + offset
        return Int(bytes[start..<start + size].integer(isBigEndian: false))
    }
}
