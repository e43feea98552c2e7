/// One word of EXPOSE: `[[IP:]HOST:]PORT[-PORT][/PROTOCOL]`. Docker accepts the address and the host port and ignores
/// them.
struct PortSpecification {
    /// `PORT/PROTOCOL` for each port of the range, protocol in lower case.
    let ports: [String]

    /// Why a text is no port.
    enum Invalid: Error, Hashable {
        case noPort
        case invalidProtocol(String)
        case notANumber(String)
        case outOfRange(String)
        case descendingRange(String)
        case invalidAddress(String)
        /// The host ports and the container ports are ranges of different lengths.
        case rangesDiffer
    }

    init(parsing text: String) throws(Invalid) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        let container = parts.removeLast()
        let host = parts.popLast() ?? ""
        let address = parts.joined(separator: ":")
        let slash = container.firstIndex(of: "/")
        let portText = String(container[..<(slash ?? container.endIndex)])
        let protocolText = slash.map { container[container.index(after: $0)...].lowercased() } ?? ""
        guard !portText.isEmpty else { throw .noPort }
        guard ["", "tcp", "udp", "sctp"].contains(protocolText) else { throw .invalidProtocol(protocolText) }
        if !address.isEmpty, !Self.isAddress(address) { throw .invalidAddress(address) }
        let range = try Self.range(portText)
        if !host.isEmpty {
            let hostRange = try Self.range(host)
            guard range.count == 1 || range.count == hostRange.count else { throw .rangesDiffer }
        }
        let transport = protocolText.isEmpty ? "tcp" : protocolText
        ports = range.map { "\($0)/\(transport)" }
    }

    private static func range(_ text: String) throws(Invalid) -> ClosedRange<Int> {
        let dash = text.firstIndex(of: "-")
        let first = try number(text[..<(dash ?? text.endIndex)], of: text)
        guard let dash else { return first...first }
        let last = try number(text[text.index(after: dash)...], of: text)
        guard first <= last else { throw .descendingRange(text) }
        return first...last
    }

    private static func number(_ digits: Substring, of text: String) throws(Invalid) -> Int {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            throw .notANumber(text)
        }
        guard let port = Int(digits), port <= 65535 else { throw .outOfRange(text) }
        return port
    }

    /// Four numbers with dots, or hex digits with colons, possibly in brackets.
    private static func isAddress(_ text: String) -> Bool {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        if bare.contains(":") {
            return bare.utf8.allSatisfy { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") || isHexDigit($0) }
        }
        let numbers = bare.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil && $0.first != "+" }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
