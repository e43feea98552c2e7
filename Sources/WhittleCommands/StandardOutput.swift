internal import Glibc

/// Bytes for standard output that are no text.
enum StandardOutput {
    /// Writes `bytes`; where the reader has gone there is nobody to tell.
    static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(1, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 || (count == -1 && errno == EINTR) else { return }
                rest = rest.dropFirst(max(0, count))
            }
        }
    }
}
