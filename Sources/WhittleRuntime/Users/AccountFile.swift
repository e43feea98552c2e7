/// An image's `/etc/passwd` or `/etc/group`: lines of fields between colons, hostile or not.
///
/// Lines that are no entries (comments, too few fields, a number that is none) are passed over, as C libraries do.
struct AccountFile {
    /// A line of either file.
    struct Entry: Hashable {
        let name: String
        /// The uid, or the gid.
        let identifier: UInt32
        /// The fields after it.
        let rest: [String]
    }

    let entries: [Entry]

    /// - Parameter minimumFields: 4 for passwd (name, password, uid, gid), 3 for group.
    init(_ bytes: [UInt8], minimumFields: Int) {
        entries = bytes.split { $0 == 0x0a || $0 == 0x0d }.compactMap { line in
            guard line.first != UInt8(ascii: "#") else { return nil }
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count >= minimumFields, !fields[0].isEmpty, let identifier = AccountNumber.parse(fields[2])
            else { return nil }
            return Entry(name: fields[0], identifier: identifier, rest: Array(fields[3...]))
        }
    }

    /// The first entry with this name, byte for byte.
    func entry(named name: String) -> Entry? {
        entries.first { $0.name.utf8.elementsEqual(name.utf8) }
    }
}

/// A uid or gid as people write it.
enum AccountNumber {
    /// The value of decimal digits and nothing else, or `nil`; numbers beyond 32 bits are `nil` too.
    static func parse(_ text: String) -> UInt32? {
        guard isNumeric(text) else { return nil }
        return UInt32(text)
    }

    /// Whether `text` is a number rather than a name.
    static func isNumeric(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
