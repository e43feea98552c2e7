/// Memory that starts at a page, owned.
// SAFETY: whoever holds the buffer uses it from one thread at a time; it is handed over under a mutex.
final class PageBuffer: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
    /// How much of it is in use.
    var count = 0

    init(_ size: Int) { bytes = .allocate(byteCount: max(1, size), alignment: 4096) }

    deinit { bytes.deallocate() }

    var used: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[..<count]) }
}
