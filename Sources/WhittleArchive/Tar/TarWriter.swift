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

    public init(to sink: @escaping Sink) { self.sink = sink }

    /// Writes the header of `entry`.
    ///
    /// - Throws: what the sink throws.
    public mutating func begin(_ entry: TarEntry) throws {
        try endEntry()
        let fields = TarHeaderFields(entry)
        if !fields.extended.isEmpty {
            let records = TarHeaderFields.records(fields.extended)
            try emit(TarHeaderFields(extensionOf: entry, size: records.count).block())
            try emit(records)
            try pad(records.count)
        }
        try emit(fields.block())
        remaining = entry.kind == .regular ? entry.size : 0
        padding = Self.padding(after: remaining)
    }

    /// Writes data of the current entry.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(Int64(bytes.count) <= remaining, "more data than the entry's size")
        try sink(bytes)
        remaining -= Int64(bytes.count)
    }

    /// Writes `bytes` as the data of the current entry.
    public mutating func write(_ bytes: [UInt8]) throws {
        precondition(Int64(bytes.count) <= remaining, "more data than the entry's size")
        try emit(bytes)
        remaining -= Int64(bytes.count)
    }

    /// Ends the archive with two zero blocks.
    public consuming func finish() throws {
        try endEntry()
        try emit([UInt8](repeating: 0, count: 2 * tarBlockSize))
    }

    private mutating func endEntry() throws {
        precondition(remaining == 0, "less data than the entry's size")
        if padding > 0 { try emit([UInt8](repeating: 0, count: padding)) }
        padding = 0
    }

    private func pad(_ count: Int) throws {
        let padding = Self.padding(after: Int64(count))
        if padding > 0 { try emit([UInt8](repeating: 0, count: padding)) }
    }

    private func emit(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try sink($0) } }

    private static func padding(after size: Int64) -> Int {
        Int((Int64(tarBlockSize) - size % Int64(tarBlockSize)) % Int64(tarBlockSize))
    }
}
