/// The content address of a blob: an algorithm and its output, written `sha256:` and 64 lower-case hex digits.
///
/// Only SHA-256 is accepted; that is the one algorithm every registry and runtime must support.
/// Format: image-spec v1.1, `descriptor.md`, "Digests".
public struct Digest: Hashable, Sendable {
    // The 32 bytes in order, as stored in memory: no allocation, and hashing or comparing is four words.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(sha256 words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// Wraps the 32 bytes of a SHA-256 output, or `nil` where `bytes` has another length.
    public init?(sha256Bytes bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        self.words = words
    }

    /// The digest of `bytes`.
    public init(hashing bytes: some Sequence<UInt8>) {
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        self = hasher.finalize()
    }

    /// The digest of the UTF-8 bytes of `text`.
    public init(hashing text: String) {
        var hasher = SHA256Hasher()
        hasher.update(text)
        self = hasher.finalize()
    }

    /// Reads `sha256:HEX`.
    ///
    /// - Throws: ``Invalid`` with the rule that was broken.
    public init(parsing text: some StringProtocol) throws(Invalid) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .noSeparator }
        let algorithm = String(text[..<colon])
        guard algorithm == "sha256" else { throw .unsupportedAlgorithm(algorithm) }
        let hex = text.utf8[text.utf8.index(after: colon)...]
        guard hex.count == 64 else { throw .wrongLength(hex.count) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var high: UInt8?
        for character in hex {
            guard let nibble = Self.nibble(character) else { throw .notLowercaseHex }
            if let first = high {
                bytes.append(first << 4 | nibble)
                high = nil
            } else {
                high = nibble
            }
        }
        guard let digest = Digest(sha256Bytes: bytes) else { throw .wrongLength(hex.count) }
        self = digest
    }

    /// The rule that a text broke.
    public enum Invalid: Error, Hashable, Sendable {
        case noSeparator
        case unsupportedAlgorithm(String)
        case wrongLength(Int)
        case notLowercaseHex
    }

    /// The 64 hex digits, lower case.
    public var hex: String {
        withUnsafeBytes(of: words) { bytes in
            String(unsafeUninitializedCapacity: 64) { buffer in
                for (index, byte) in bytes.enumerated() {
                    buffer[2 * index] = Self.digit(byte >> 4)
                    buffer[2 * index + 1] = Self.digit(byte & 15)
                }
                return 64
            }
        }
    }

    /// The first 12 hex digits, as Docker shows digests to people.
    public var short: String { String(hex.prefix(12)) }

    /// The 32 bytes.
    public var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    public static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension Digest: CustomStringConvertible {
    /// `sha256:` and the hex digits.
    public var description: String { "sha256:" + hex }
}

extension Digest: Comparable {
    /// Byte order, which is also the order of the text form.
    public static func < (left: Digest, right: Digest) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
