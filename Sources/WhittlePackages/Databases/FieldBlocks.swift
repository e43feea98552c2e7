/// Fields in blocks: lines of `Name: value`, with blank lines between the blocks, and lines that begin with a blank belonging
/// to the field before them (RFC 822 as Debian's control files and Python's metadata have it).
enum FieldBlocks {
    /// One block: what it says of the wanted fields, the first of each name; names in lower case.
    typealias Block = [String: String]

    /// The blocks of `bytes`, without those that have none of the wanted fields.
    ///
    /// - Parameters:
    ///   - names: in lower case.
    ///   - onlyFirst: what follows the first blank line is no block but a text.
    static func parse(_ bytes: [UInt8], wanted names: Set<String>, onlyFirst: Bool = false) -> [Block] {
        var blocks: [Block] = []
        var block: Block = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard let first = line.first, line != [UInt8(ascii: "\r")] else {
                if !block.isEmpty {
                    blocks.append(block)
                    block = [:]
                    if onlyFirst { return blocks }
                }
                continue
            }
            // The rest of a long text: no field that is wanted has any.
            guard first != UInt8(ascii: " "), first != UInt8(ascii: "\t") else { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                line.distance(from: line.startIndex, to: colon) < 64
            else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            guard names.contains(name), block[name] == nil else { continue }
            block[name] = trimmed(line[line.index(after: colon)...])
        }
        if !block.isEmpty { blocks.append(block) }
        return blocks
    }

    /// The text without blanks around it.
    static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes
        while let last = bytes.last, last == 0x20 || last == 0x09 || last == 0x0D { bytes.removeLast() }
        return String(decoding: bytes.drop { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
    }
}
