internal import Synchronization

/// Collects the body of a response that is small by nature.
package final class BodyBuffer: Sendable {
    private let limit: Int
    private let contents = Mutex<[UInt8]>([])

    /// As much of the body of an error is kept; what else the peer has to say is not wanted.
    package static let errorLimit = 8 << 10

    /// - Parameter limit: of a successful body, which is an error if it is longer.
    package init(limit: Int) { self.limit = limit }

    /// What was collected so far.
    package var bytes: [UInt8] { contents.withLock { $0 } }

    /// Takes the body of `response` and forgets that of an earlier one.
    package func sink(for response: HTTPResponse) -> ByteSink {
        contents.withLock { $0 = [] }
        let isSuccess = response.isSuccess
        let limit = isSuccess ? limit : Self.errorLimit
        return { piece in
            try self.contents.withLock { contents in
                contents.append(contentsOf: piece.prefix(limit - contents.count + (isSuccess ? 1 : 0)))
                if isSuccess, contents.count > limit {
                    throw HTTPFailure(.other, "the answer is longer than \(limit) bytes")
                }
                if !isSuccess, contents.count == limit { throw EnoughRead() }
            }
        }
    }
}
