internal import WhittleGraph

/// The grammar of `--chown`: `USER[:GROUP]` or `:GROUP`, names or numbers.
enum OwnerText {
    /// Why a text is no owner.
    enum Invalid: Error, Hashable {
        case noUser
        case noGroup
        case tooManyParts
        case forbiddenCharacter
        /// A number that no user or group can have.
        case numberTooLarge(String)
    }

    static func parse(_ text: String) throws(Invalid) -> Owner {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count <= 2 else { throw .tooManyParts }
        guard parts != [""], parts != ["", ""] else { throw .noUser }
        guard parts.count == 1 || !parts[1].isEmpty else { throw .noGroup }
        for part in parts where !part.isEmpty {
            guard part.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7F }) else {
                throw .forbiddenCharacter
            }
            let isNumber = part.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            // The highest number is the kernel's "no change" (chown(2)).
            if isNumber, UInt32(part).map({ $0 == .max }) ?? true { throw .numberTooLarge(part) }
        }
        // `:GROUP` leaves the user as it is without the option: root.
        return Owner(user: parts[0].isEmpty ? "0" : parts[0], group: parts.count == 2 ? parts[1] : nil)
    }
}
