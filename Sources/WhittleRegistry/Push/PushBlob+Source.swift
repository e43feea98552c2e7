internal import Synchronization
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleHTTP
public import WhittleOCI

extension PushBlob {
    /// A blob that is read from another place while it is pushed: nothing of it is kept here.
    ///
    /// The last bytes are given only when the whole is verified, so a damaged blob never arrives whole.
    ///
    /// - Parameter origins: see ``origins``.
    public init(_ descriptor: Descriptor, from source: any ImageSource, origins: [BlobOrigin] = []) {
        self.init(descriptor, origins: origins) { offset in
            let stream = BlobStream(source, descriptor, from: offset)
            return { try stream.read(into: $0) }
        }
    }
}

/// A transfer from a source that runs while somebody reads, and ends when nobody does any more.
private final class BlobStream: Sendable {
    private let handoff = ByteHandoff()
    private let task: Task<Void, Never>

    init(_ source: any ImageSource, _ descriptor: Descriptor, from offset: Int64) {
        let tail = Tail(handoff, skipping: offset)
        // Ended by `deinit`, or by the end of the blob.
        task = Task { [handoff] in
            do {
                try await source.read(descriptor) { try tail.take($0) }
                try await BlockingPool.shared.run { try tail.finish() }
                handoff.finish(.success(()))
            } catch {
                handoff.finish(.failure(error))
            }
        }
    }

    deinit {
        handoff.close()
        task.cancel()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try handoff.read(into: buffer) }

    /// Hands pieces on, each when the next one comes.
    private final class Tail: Sendable {
        private let handoff: ByteHandoff
        private let state: Mutex<(skipped: Int64, last: [UInt8])>

        init(_ handoff: ByteHandoff, skipping offset: Int64) {
            self.handoff = handoff
            state = Mutex((offset, []))
        }

        func take(_ bytes: UnsafeRawBufferPointer) throws {
            let before = state.withLock { state -> [UInt8] in
                let skipped = Int(min(state.skipped, Int64(bytes.count)))
                state.skipped -= Int64(skipped)
                guard skipped < bytes.count else { return [] }
                defer { state.last = Array(bytes[skipped...]) }
                return state.last
            }
            try before.withUnsafeBytes { try handoff.write($0) }
        }

        func finish() throws {
            let last = state.withLock { $0.last }
            try last.withUnsafeBytes { try handoff.write($0) }
        }
    }
}
