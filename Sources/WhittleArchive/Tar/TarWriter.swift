/// Writes a tar archive as a stream, in the pax format: a ustar header where everything fits into one, preceded by a pax
/// header where it does not.
///
/// The bytes depend on the entries alone. Times are cut to whole seconds. Usage: for each entry ``begin(_:)``, then as many
/// ``write(_:)`` as give its size; at the end ``finish()``.
public struct TarWriter: ~Copyable {
    /// Takes the archive's bytes, in order.
    public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    private let sink: Sink
    /// Data bytes of the current entry that are still to come.
    private var remaining: Int64 = 0
    private var padding = 0
    /// A header is made here: what precedes it in the stream (padding of the entry before) goes out with it.
    private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * tarBlockSize, alignment: 16)

    /// A writer of a new archive. Nothing is written yet.
    public init(to sink: @escaping Sink) { self.sink = sink }

    deinit { block.deallocate() }

    /// Writes the header of `entry`.
    ///
    /// - Throws: what the sink throws.
    public mutating func begin(_ entry: TarEntry) throws {
        precondition(remaining == 0, "less data than the entry's size")
        let fields = TarHeaderFields(entry)
        if !fields.extended.isEmpty {
            let records = TarHeaderFields.records(fields.extended)
            try emit(TarHeaderFields(extensionOf: entry, size: records.count))
            try records.withUnsafeBytes { try sink($0) }
            padding = Self.padding(after: Int64(records.count))
        }
        try emit(fields)
        remaining = entry.kind == .regular ? max(0, entry.size) : 0
        padding = Self.padding(after: remaining)
    }

    /// Writes data of the current entry.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(Int64(bytes.count) <= remaining, "more data than the entry's size")
        try sink(bytes)
        remaining -= Int64(bytes.count)
    }

    /// Leaves the data of the current entry to the caller, who puts it between what the sink got before and what it gets
    /// next.
    public mutating func leaveRoom() { remaining = 0 }

    /// Writes `bytes` as the data of the current entry.
    public mutating func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    /// Ends the archive with two zero blocks.
    public consuming func finish() throws {
        precondition(remaining == 0, "less data than the entry's size")
        zero()
        try sink(UnsafeRawBufferPointer(rebasing: block[..<padding]))
        try sink(UnsafeRawBufferPointer(block))
    }

    /// Writes what is missing to a whole block, then a header.
    private mutating func emit(_ fields: TarHeaderFields) throws {
        zero()
        fields.write(to: UnsafeMutableRawBufferPointer(rebasing: block[padding..<padding + tarBlockSize]))
        try sink(UnsafeRawBufferPointer(rebasing: block[..<(padding + tarBlockSize)]))
        padding = 0
    }

    private func zero() { block.initializeMemory(as: UInt8.self, repeating: 0) }

    private static func padding(after size: Int64) -> Int {
        Int((Int64(tarBlockSize) - size % Int64(tarBlockSize)) % Int64(tarBlockSize))
    }
}
