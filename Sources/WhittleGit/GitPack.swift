internal import WhittleArchive
internal import WhittleCore

/// Reads objects of a pack. Format: gitformat-pack(5).
struct GitPack {
    private let file: GitFile
    private let nameLength: Int

    /// git makes chains of 50, and takes 4095.
    private static let chainLimit = 4096

    init(_ path: String, nameLength: Int) throws {
        file = try GitFile(path)
        self.nameLength = nameLength
    }

    /// An entry as it is stored: an object, or the difference to another one.
    private struct Entry {
        enum Base {
            case none(GitObject.Kind)
            case offset(Int64)
            case name(GitObjectName)
        }
        let base: Base
        let contents: [UInt8]
    }

    /// The object at `offset`.
    ///
    /// - Parameter named: finds an object that is the base of this one, by name.
    func object(at offset: Int64, named: (GitObjectName) throws -> GitObject) throws -> GitObject {
        var deltas: [[UInt8]] = []
        var next = offset
        while deltas.count < Self.chainLimit {
            let entry = try entry(at: next)
            switch entry.base {
            case .none(let kind): return try applied(deltas, to: GitObject(kind: kind, contents: entry.contents))
            case .offset(let base):
                deltas.append(entry.contents)
                next = base
            case .name(let name):
                deltas.append(entry.contents)
                return try applied(deltas, to: named(name))
            }
        }
        throw GitDamage("it is the end of too long a chain of differences")
    }

    private func applied(_ deltas: [[UInt8]], to base: GitObject) throws -> GitObject {
        let contents = try deltas.reversed().reduce(base.contents) { try GitDelta.apply($1, to: $0) }
        return GitObject(kind: base.kind, contents: contents)
    }

    private func entry(at offset: Int64) throws -> Entry {
        // Kind and size, a base, and more bytes than these have.
        let head = try file.bytes(at: offset, upTo: 64)
        var reader = GitByteReader(head[...])
        var byte = try reader.byte()
        let kind = Int(byte >> 4 & 7)
        var size = Int(byte & 15)
        var shift = 4
        while byte & 0x80 != 0 {
            byte = try reader.byte()
            guard shift < 32 else { throw GitDamage("its size is damaged") }
            size |= Int(byte & 0x7F) << shift
            shift += 7
        }
        let base: Entry.Base
        switch kind {
        case 1...4: base = .none(GitObject.Kind(rawValue: kind) ?? .blob)
        case 6: base = .offset(try baseOffset(below: offset, &reader))
        case 7: base = .name(GitObjectName(bytes: try reader.bytes(nameLength)))
        default: throw GitDamage("it is of an unknown kind")
        }
        guard size <= GitObjects.sizeLimit.bytes else { throw GitDamage("it is too large") }
        // Data that does not pack grows by less than an eighth.
        let packed = try file.bytes(at: offset + Int64(head.count - reader.rest.count), upTo: size + size / 8 + 1024)
        return Entry(base: base, contents: try ZlibData.decompress(packed, size: size, limit: GitObjects.sizeLimit))
    }

    /// How far in front of this entry its base is: seven bits a byte, one added for each byte that follows.
    private func baseOffset(below offset: Int64, _ reader: inout GitByteReader) throws -> Int64 {
        var byte = try reader.byte()
        var distance = Int64(byte & 0x7F)
        while byte & 0x80 != 0 {
            byte = try reader.byte()
            guard distance < 1 << 48 else { throw GitDamage("the place of its base is damaged") }
            distance = (distance + 1) << 7 | Int64(byte & 0x7F)
        }
        guard distance > 0, distance < offset else { throw GitDamage("its base is not in the pack") }
        return offset - distance
    }
}

/// The difference between two objects: pieces of the first, and new bytes. Format: gitformat-pack(5).
enum GitDelta {
    static func apply(_ delta: [UInt8], to base: [UInt8]) throws -> [UInt8] {
        var reader = GitByteReader(delta[...])
        guard try reader.size() == base.count else { throw GitDamage("its difference is to another object") }
        let size = try reader.size()
        guard size <= GitObjects.sizeLimit.bytes else { throw GitDamage("it is too large") }
        var result: [UInt8] = []
        result.reserveCapacity(size)
        while !reader.rest.isEmpty {
            let command = try reader.byte()
            if command & 0x80 != 0 {
                let offset = try reader.number(present: command, of: 4)
                let count = try reader.number(present: command >> 4, of: 3)
                let length = count == 0 ? 0x10000 : count
                guard offset + length <= base.count else { throw GitDamage("its difference is damaged") }
                result += base[offset..<offset + length]
            } else {
                guard command > 0 else { throw GitDamage("its difference is damaged") }
                result += try reader.bytes(Int(command))
            }
            guard result.count <= size else { throw GitDamage("its difference is damaged") }
        }
        guard result.count == size else { throw GitDamage("its difference is cut short") }
        return result
    }
}

/// Takes bytes off the front.
struct GitByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func byte() throws -> UInt8 {
        guard let byte = rest.popFirst() else { throw GitDamage("it is cut short") }
        return byte
    }

    mutating func bytes(_ count: Int) throws -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw GitDamage("it is cut short") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// Seven bits a byte, the lowest first.
    mutating func size() throws -> Int {
        var size = 0
        var shift = 0
        while true {
            let byte = try byte()
            guard shift < 42 else { throw GitDamage("its size is damaged") }
            size |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return size }
            shift += 7
        }
    }

    /// A number whose bytes are there where a bit of `present` is set, the lowest first.
    mutating func number(present: UInt8, of count: Int) throws -> Int {
        var number = 0
        for index in 0..<count where present & 1 << UInt8(index) != 0 { number |= Int(try byte()) << (8 * index) }
        return number
    }
}
