package import WhittleCore

/// Names a committed snapshot.
package struct SnapshotID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// 1 to 128 of the characters `[A-Za-z0-9-]`: it is a file name.
    package let rawValue: String

    /// `nil` where the text breaks the rule above.
    package init?(rawValue: String) {
        let isPlain = rawValue.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, (1...128).contains(rawValue.utf8.count) else { return nil }
        self.rawValue = rawValue
    }

    /// The snapshot that holds the layers of `chainID`, whatever image they come from.
    package init(chainID: Digest) { rawValue = "chain-" + chainID.hex }

    /// A new name, for the result of a step.
    package static func unique() -> SnapshotID {
        let words = (0..<2).map { _ in UInt64.random(in: 0 ... .max) }
        return SnapshotID(unchecked: "step-" + words.map { String($0, radix: 36) }.joined(separator: "-"))
    }

    private init(unchecked rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }
}
