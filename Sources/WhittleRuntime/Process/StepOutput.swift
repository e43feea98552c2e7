/// Bytes that a step wrote, as they came: lines may be cut.
package struct StepOutput: Hashable, Sendable {
    package enum Stream: Hashable, Sendable {
        case standardOutput, standardError
    }

    package var stream: Stream
    package var bytes: [UInt8]

    package init(_ stream: Stream, _ bytes: [UInt8]) {
        self.stream = stream
        self.bytes = bytes
    }
}
