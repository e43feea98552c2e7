package import WhittleCore

/// How the bytes of a secret can be written.
package enum SecretForm: String, Hashable, Sendable, CaseIterable {
    /// As they are; line ends do not count.
    case plain
    /// As in a string of JSON or a programming language: `\n`, `\"`, `\\`.
    case escaped
    /// Percent-encoded, in whole or where a URL or a form needs it.
    case urlEncoded = "URL-encoded"
    /// In the standard or the URL alphabet, at any place of a longer text.
    case base64
    /// Two digits a byte, in lower or in upper case.
    case hexadecimal
}

/// The name and the value of one secret.
package struct NamedSecret: Sendable {
    package let id: String
    package let value: Redacted<[UInt8]>

    package init(id: String, value: Redacted<[UInt8]>) {
        self.id = id
        self.value = value
    }

    /// The value without the line end and the blanks around it, which tools take away when they use it.
    var trimmed: ArraySlice<UInt8> {
        let bytes = value.revealed[...]
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return bytes[first...last]
    }

    /// Fewer bytes than this are in many files by chance, and are not searched for. A random secret of 6 bytes is found
    /// by accident once in 300,000 times a gigabyte.
    package static let minimumLength = 6

    /// Whether it has bytes, but too few of them to be searched for.
    package var isTooShort: Bool {
        let count = SecretForms.withoutLineEnds(trimmed).count
        return count > 0 && count < Self.minimumLength
    }
}
