package import SystemPackage
package import WhittleCore

/// Reads whole files that are small by nature: configuration, indexes, manifests.
package enum FileReading {
    /// The bytes of the file at `path`, or `nil` where there is none.
    ///
    /// - Parameter limit: a longer file is refused, so that a wrong path cannot fill the memory.
    /// - Throws: `BuildError` (`file-system`).
    package static func bytes(
        ofFileAt path: String, limit: Int = 256 << 20
    ) throws(BuildError) -> [UInt8]? {
        do throws(Errno) {
            let file = try Syscall.open(path, [.readOnly])
            return try file.withDescriptor { (descriptor) throws(Errno) in try bytes(of: descriptor, limit: limit) }
        } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw BuildError.fileSystem("read file", path, error)
        }
    }

    /// The bytes from the current offset of `descriptor` to the end. `EFBIG` beyond `limit`.
    package static func bytes(of descriptor: FileDescriptor, limit: Int) throws(Errno) -> [UInt8] {
        let expected = try Syscall.status(descriptor).size
        guard expected <= limit else { throw .fileTooLarge }
        var bytes: [UInt8] = []
        // One more than the size, so that the end shows with the first short read. Files of procfs say 0.
        var room = max(Int(expected) + 1, 4096)
        while true {
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: room))
            let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(Errno) in
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[start...])
                return try Syscall.read(descriptor, into: UnsafeMutableRawBufferPointer(rest))
            }
            bytes.removeLast(room - count)
            if count == 0 { return bytes }
            guard bytes.count <= limit else { throw .fileTooLarge }
            room = max(room - count, 4096)
        }
    }

    /// Hands the bytes of the file at `path` to `body`, a megabyte at a time.
    ///
    /// - Throws: `BuildError` (`file-system`), also where there is no such file; what `body` throws.
    package static func chunks(ofFileAt path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let file = try describing("read file", path) { () throws(Errno) in try Syscall.open(path, [.readOnly]) }
        try file.withDescriptor { try chunks(of: $0, shownAs: path, body) }
    }

    /// Hands what is left in `descriptor` to `body`, at most a megabyte at a time.
    ///
    /// - Throws: as ``chunks(ofFileAt:_:)``.
    package static func chunks(
        of descriptor: FileDescriptor, shownAs path: String, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try describing("read", path) { () throws(Errno) in try Syscall.read(descriptor, into: buffer) }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
