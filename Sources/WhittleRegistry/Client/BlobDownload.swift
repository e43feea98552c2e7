internal import Synchronization
internal import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

/// The state of one blob's transfer over all its attempts: what has arrived, its digest, and where it goes.
///
/// The sink sees every byte once, in order, however often the connection was cut.
final class BlobDownload: Sendable {
    let descriptor: Descriptor
    private let sink: ByteSink

    private struct State {
        var hasher = SHA256Hasher()
        var received: Int64 = 0
    }

    private let state = Mutex(State())

    init(_ descriptor: Descriptor, sink: @escaping ByteSink) {
        self.descriptor = descriptor
        self.sink = sink
    }

    /// Bytes that the sink has taken.
    var received: Int64 { state.withLock { $0.received } }

    var isComplete: Bool { received == descriptor.size }

    /// What asks a server for the rest; nothing at the start.
    var rangeHeader: HTTPHeaders.Field? {
        let received = received
        return received > 0 ? HTTPHeaders.Field("Range", "bytes=\(received)-") : nil
    }

    /// Takes the body of a successful answer of `place`, which may begin before what is missing.
    ///
    /// - Throws: `digest-mismatch` where the announced length is wrong, `registry-failed` for a part that leaves a gap.
    func receive(_ response: HTTPResponse, from place: String) throws -> ByteSink {
        let received = received
        var start: Int64 = 0
        if response.status == 206 {
            guard let range = response.headers["Content-Range"], let first = Self.start(of: range), first <= received
            else {
                throw BuildError.senselessAnswer(place, "a part of a blob that does not begin where it was asked to")
            }
            start = first
        }
        if let length = response.headers["Content-Length"].flatMap({ Int64($0) }), start + length != descriptor.size {
            throw BuildError.sizeMismatch(
                what, from: place, expected: descriptor.size, found: start.addingReportingOverflow(length).partialValue)
        }
        let overlap = Mutex(received - start)
        return { bytes in
            let skipped = overlap.withLock { overlap in
                let count = min(overlap, Int64(bytes.count))
                overlap -= count
                return Int(count)
            }
            try self.take(UnsafeRawBufferPointer(rebasing: bytes[skipped...]), from: place)
        }
    }

    /// Takes the next bytes of the blob.
    ///
    /// - Throws: `digest-mismatch` for more than the blob has; what the sink threw.
    func take(_ bytes: UnsafeRawBufferPointer, from place: String) throws {
        guard !bytes.isEmpty else { return }
        let received = received + Int64(bytes.count)
        guard received <= descriptor.size else {
            throw BuildError.sizeMismatch(what, from: place, expected: descriptor.size, found: received)
        }
        try sink(bytes)
        // Counted after the sink: what it refused was not delivered.
        state.withLock { state in
            state.hasher.update(bytes)
            state.received = received
        }
    }

    /// Compares what has arrived, which must be all, with the digest.
    ///
    /// - Throws: `digest-mismatch`.
    func verify(from place: String) throws {
        let (digest, received) = state.withLock { ($0.hasher.finalize(), $0.received) }
        guard received == descriptor.size else {
            throw BuildError.sizeMismatch(what, from: place, expected: descriptor.size, found: received)
        }
        guard digest == descriptor.digest else {
            throw BuildError.digestMismatch(what, from: place, expected: descriptor.digest, found: digest)
        }
    }

    private var what: String { "blob \(descriptor.digest.short)" }

    /// The first byte of `bytes FIRST-LAST/SIZE`.
    private static func start(of range: String) -> Int64? {
        guard range.hasPrefix("bytes ") else { return nil }
        return Int64(range.dropFirst(6).prefix { $0 != "-" })
    }
}
