internal import CWhittleLinux
internal import Synchronization
package import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#endif

/// Copies the contents of a file, by the cheapest way that the two file systems have.
package enum FileCopy {
    /// Files up to this many bytes are read and written at once, which is quicker than any of the ways that do not pass
    /// through this process.
    package static let bufferSize = 128 << 10

    /// Whether sharing blocks was refused once: it is then not tried for every file again.
    private static let cannotClone = Atomic(false)

    /// Copies all of `source`, which is at its start and had `status`, into the empty file `target`. Holes stay holes.
    package static func copy(
        _ status: FileStatus, from source: FileDescriptor, to target: FileDescriptor,
        _ buffer: UnsafeMutableRawBufferPointer, _ cancellation: Cancellation?
    ) throws {
        if status.size == 0 { return }
        if status.size <= buffer.count { return try copyBuffered(source, target, buffer, status.size, cancellation) }
        if clone(source, target) { return }
        // A file with fewer blocks than bytes has holes (or is compressed, then there are none to be found).
        if Int64(clamping: status.blocks) * 512 < status.size {
            return try copySparse(status.size, source, target, buffer, cancellation)
        }
        try copyRange(status.size, source, target, buffer, cancellation)
    }

    private static func clone(_ source: FileDescriptor, _ target: FileDescriptor) -> Bool {
        if cannotClone.load(ordering: .relaxed) { return false }
        do throws(Errno) {
            _ = try Syscall.retrying { whittle_clone_file(source.rawValue, target.rawValue) }
            return true
        } catch {
            // Other ways follow; they report what is really wrong.
            cannotClone.store(true, ordering: .relaxed)
            return false
        }
    }

    private static func copyBuffered(
        _ source: FileDescriptor, _ target: FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer, _ size: Int64,
        _ cancellation: Cancellation?
    ) throws {
        var left = size
        while left > 0 {
            try cancellation?.check()
            let room = Int(min(left, Int64(buffer.count)))
            let count = try Syscall.read(source, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
            // Shorter than it was: the caller compares the status.
            if count == 0 { return }
            try Syscall.writeAll(target, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            left -= Int64(count)
        }
    }

    /// Copies `size` bytes at the current offsets inside the kernel, or through the buffer where it cannot.
    private static func copyRange(
        _ size: Int64, _ source: FileDescriptor, _ target: FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer,
        _ cancellation: Cancellation?
    ) throws {
        var left = size
        while left > 0 {
            // 16 MiB a call, so that a cancelled copy ends soon.
            try cancellation?.check()
            do throws(Errno) {
                let count = try Syscall.retrying {
                    whittle_copy_range(source.rawValue, target.rawValue, Int(min(left, 16 << 20)))
                }
                if count == 0 { return }
                left -= Int64(count)
            } catch {
                // Before the first byte every refusal of the call itself is one of these.
                let refusals: [Errno] = [
                    .noFunction, .improperLink, .invalidArgument, .notSupported, .notPermitted, .ioError,
                ]
                guard left == size, refusals.contains(error) else { throw error }
                return try copyBuffered(source, target, buffer, size, cancellation)
            }
        }
    }

    private static func copySparse(
        _ size: Int64, _ source: FileDescriptor, _ target: FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer,
        _ cancellation: Cancellation?
    ) throws {
        try Syscall.truncate(target, to: size)
        var position: Int64 = 0
        while position < size, let start = try Syscall.seekData(source, from: position, size: size) {
            let end = try Syscall.seekHole(source, from: start, size: size)
            try Syscall.seek(source, to: start)
            try Syscall.seek(target, to: start)
            try copyRange(end - start, source, target, buffer, cancellation)
            position = end
        }
    }
}

extension Syscall {
    /// lseek(2) with `SEEK_DATA`: where data begins at or after `offset`; `nil` where only a hole follows.
    package static func seekData(
        _ descriptor: FileDescriptor, from offset: Int64, size: Int64
    ) throws(Errno) -> Int64? {
        do throws(Errno) {
            return Int64(try retrying { lseek(descriptor.rawValue, off_t(offset), 3) })  // SEEK_DATA
        } catch {
            if error.rawValue == ENXIO { return nil }
            // A file system that knows no holes is all data.
            if error == .invalidArgument { return offset }
            throw error
        }
    }

    /// lseek(2) with `SEEK_HOLE`: where the data that begins at `offset` ends.
    static func seekHole(_ descriptor: FileDescriptor, from offset: Int64, size: Int64) throws(Errno) -> Int64 {
        do throws(Errno) {
            return Int64(try retrying { lseek(descriptor.rawValue, off_t(offset), 4) })  // SEEK_HOLE
        } catch {
            if error == .invalidArgument { return size }
            throw error
        }
    }
}
