internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// An object of a repository.
struct GitObject {
    enum Kind: Int {
        case commit = 1
        case tree = 2
        case blob = 3
        case tag = 4
    }

    let kind: Kind
    let contents: [UInt8]
}

/// Reads objects by name: from files of their own, from packs, and from repositories that lend theirs.
struct GitObjects {
    /// A commit has a few kilobytes; a larger object is not one that was meant.
    static let sizeLimit = ByteCount(16 << 20)

    private let repository: GitRepository
    private let directories: [String]

    init(_ repository: GitRepository) throws(BuildError) {
        self.repository = repository
        var directories: [String] = []
        var next = [repository.common + "/objects"]
        // A circle of lenders ends where each is known.
        while let directory = next.popLast(), directories.count < 16 {
            if directories.contains(directory) { continue }
            directories.append(directory)
            let lenders = try GitRepository.text(of: directory + "/info/alternates") ?? ""
            next += lenders.split(separator: "\n").filter { !$0.hasPrefix("#") }
                .map { GitRepository.absolute(GitRepository.trimmed($0), in: directory) }
        }
        self.directories = directories
    }

    /// The object of a name.
    ///
    /// - Throws: `git-commit` where it is not there, or damaged.
    func object(_ name: GitObjectName) throws(BuildError) -> GitObject {
        do {
            for directory in directories {
                if let object = try loose(name, in: directory) { return object }
                for index in try packs(in: directory) {
                    if let offset = try index.offset(of: name) {
                        return try GitPack(index.packPath, nameLength: name.bytes.count).object(
                            at: offset, named: { try object($0) })
                    }
                }
            }
        } catch let error as BuildError {
            if error.code == .gitCommit { throw error }
            throw .gitCommit(repository.shown, "the object \(name): \(error.message)", cause: error)
        } catch let damage as GitDamage {
            throw .gitCommit(repository.shown, "the object \(name): \(damage.problem)")
        } catch {
            throw .gitCommit(repository.shown, "the object \(name): \(error)", cause: error)
        }
        throw .gitCommit(repository.shown, "the object \(name) is not there")
    }

    /// `objects/12/3456…`: zlib data of `KIND SIZE`, a NUL, and the contents.
    private func loose(_ name: GitObjectName, in directory: String) throws -> GitObject? {
        let text = name.description
        let path = "\(directory)/\(text.prefix(2))/\(text.dropFirst(2))"
        guard let packed = try FileReading.bytes(ofFileAt: path, limit: Int(Self.sizeLimit.bytes)) else { return nil }
        let bytes = try ZlibData.decompress(packed, limit: Self.sizeLimit)
        guard let end = bytes.firstIndex(of: 0) else { throw GitDamage("it has no head") }
        let head = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        let kinds: [Substring: GitObject.Kind] = ["commit": .commit, "tree": .tree, "blob": .blob, "tag": .tag]
        guard head.count == 2, let kind = kinds[head[0]], Int(head[1]) == bytes.count - end - 1 else {
            throw GitDamage("its head is damaged")
        }
        return GitObject(kind: kind, contents: Array(bytes[(end + 1)...]))
    }

    private func packs(in directory: String) throws -> [GitPackIndex] {
        let path = directory + "/pack"
        guard GitRepository.isDirectory(path) else { return [] }
        let names = try RootDirectory(path).names(in: "/").map(\.description).filter { $0.hasSuffix(".idx") }
        return try names.sorted().map { try GitPackIndex("\(path)/\($0)") }
    }
}

/// What is wrong with a file of a repository.
struct GitDamage: Error {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}

/// Parts of a file, read where they are.
struct GitFile {
    private let descriptor: SharedFile
    let size: Int64

    private final class SharedFile {
        let file: OwnedDescriptor
        init(_ file: consuming OwnedDescriptor) { self.file = file }
    }

    init(_ path: String) throws {
        let opened = try describing("open", path) { () throws(Errno) -> OwnedDescriptor in
            try Syscall.open(path, [.readOnly])
        }
        size = try opened.withDescriptor { try Syscall.status($0).size }
        descriptor = SharedFile(opened)
    }

    /// At most `count` bytes at `offset`; fewer at the end.
    func bytes(at offset: Int64, upTo count: Int) throws -> [UInt8] {
        guard offset >= 0, offset < size else { throw GitDamage("it leads out of its file") }
        let count = Int(min(Int64(count), size - offset))
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let read = try descriptor.file.withDescriptor {
                    try Syscall.read($0, into: rest, at: offset + Int64(filled))
                }
                guard read > 0 else { throw GitDamage("its file became shorter") }
                filled += read
            }
        }
    }

    /// Exactly `count` bytes at `offset`.
    func bytes(at offset: Int64, _ count: Int) throws -> [UInt8] {
        let bytes = try bytes(at: offset, upTo: count)
        guard bytes.count == count else { throw GitDamage("its file is cut short") }
        return bytes
    }

    /// A number of 4 bytes, the highest first.
    func number(at offset: Int64) throws -> UInt32 {
        try bytes(at: offset, 4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
