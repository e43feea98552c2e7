/// Hands bytes from a thread that writes to one that reads, a piece at a time: the memory that this takes is one piece.
///
/// Both threads wait, so they are threads of a ``BlockingPool``. Each side can end the exchange, and the other one then
/// learns of it.
package final class ByteHandoff: Sendable {
    private struct State {
        var piece: [UInt8] = []
        var offset = 0
        var end: Result<Void, any Error>?
        var isClosed = false

        var isEmpty: Bool { offset == piece.count }
    }

    /// Thrown to the writer when the reader wants no more.
    package struct Closed: Error {
        package init() {}
    }

    private let state = Monitor(State())

    package init() {}

    /// Hands `bytes` over, when those before are taken.
    ///
    /// - Throws: ``Closed``.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Closed) {
        guard !bytes.isEmpty else { return }
        let isOpen = state.wait { $0.isClosed ? false : $0.isEmpty ? true : nil }
        guard isOpen else { throw Closed() }
        state.update(wakingAll: true) { state in
            state.piece = Array(bytes)
            state.offset = 0
        }
    }

    /// Says that there are no more bytes, because all were written or because of an error.
    package func finish(_ end: Result<Void, any Error>) {
        state.update(wakingAll: true) { state in
            // The first end is the one that happened.
            if state.end == nil { state.end = end }
        }
    }

    /// Fills `buffer` with what comes next.
    ///
    /// - Returns: how many bytes there were; 0 at the end.
    /// - Throws: the error that the writer finished with, at once.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let next: Result<Int, any Error> = state.wait { state in
            if case .failure(let error) = state.end { return .failure(error) }
            guard !state.isEmpty else { return state.end == nil ? nil : .success(0) }
            let count = min(buffer.count, state.piece.count - state.offset)
            buffer.copyBytes(from: state.piece[state.offset..<state.offset + count])
            state.offset += count
            return .success(count)
        }
        // Wakes the writer, who waits for the piece to be taken.
        state.update(wakingAll: true) { _ in }
        return try next.get()
    }

    /// Says that nobody reads any more.
    package func close() { state.update(wakingAll: true) { $0.isClosed = true } }
}
