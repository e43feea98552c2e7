internal import WhittleCore
internal import WhittleOCI

/// A file that describes targets.
package struct BakeSource: Sendable {
    /// As the user named it.
    package let name: String
    package let bytes: [UInt8]

    /// A larger file is refused.
    package static let sizeLimit = 4 << 20

    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    /// How a file is read; a name that says neither is tried as both.
    enum Format {
        case json
        case compose
        case hcl
    }

    var format: Format {
        let name = name.lowercased()
        if name.hasSuffix(".hcl") { return .hcl }
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") { return .compose }
        if name.hasSuffix(".json") { return .json }
        // Neither is valid as the other: a document in braces is JSON.
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
        return first == UInt8(ascii: "{") ? .json : .compose
    }

    /// - Throws: `bake-syntax`.
    func json() throws(BuildError) -> BakeValue {
        do throws(JSONError) {
            return BakeValue(try JSONValue(parsing: bytes, depthLimit: 64))
        } catch {
            let before = bytes.prefix(error.offset)
            let line = before.count { $0 == 0x0A } + 1
            let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
            let position = SourcePosition(line: line, column: column)
            throw .bakeSyntax(name, "\(error.reason)", at: location(SourceRange(position, position)))
        }
    }

    /// A place with its line.
    func location(_ range: SourceRange) -> SourceLocation {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        let number = range.start.line - 1
        let shown = lines.indices.contains(number) ? [String(decoding: lines[number], as: UTF8.self)] : []
        return SourceLocation(file: name, range: range, lines: shown)
    }
}
