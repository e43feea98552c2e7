internal import Synchronization
internal import WhittleOCI

/// What a Docker daemon says about a load: one JSON object a line, or one object with a message for an error.
final class DockerAnswer: Sendable {
    private struct State {
        var line: [UInt8] = []
        var error: String?
    }

    private let state = Mutex(State())

    /// A longer line is progress that nobody reads.
    private static let lineLimit = 64 << 10

    /// Takes the next bytes of the answer.
    func take(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            for byte in bytes {
                if byte == UInt8(ascii: "\n") {
                    Self.read(&state)
                } else if state.line.count < Self.lineLimit {
                    state.line.append(byte)
                }
            }
        }
    }

    /// Why the load failed, or `nil` where it did not.
    func problem(status: Int) -> String? {
        state.withLock { state in
            Self.read(&state)
            if let error = state.error { return error }
            return (200..<300).contains(status) ? nil : "it answered with status \(status)"
        }
    }

    private static func read(_ state: inout State) {
        defer { state.line.removeAll() }
        // What is no JSON says nothing.
        guard !state.line.isEmpty, let value = try? JSONValue(parsing: state.line) else { return }
        let error = value["errorDetail"]?["message"]?.string ?? value["error"]?.string ?? value["message"]?.string
        if state.error == nil { state.error = error.map { String($0.prefix(1000)) } }
    }
}
