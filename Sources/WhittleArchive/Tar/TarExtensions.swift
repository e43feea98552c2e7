internal import WhittleCore

/// What extended headers say of the next entry.
struct TarExtensions {
    /// pax records; an empty value takes a global one back.
    private(set) var records: [String: [UInt8]] = [:]
    /// pax sparse 0.0 repeats its keys, so order matters.
    private var sparsePairs: [Int64] = []
    private(set) var byteCount = 0
    private var longName: [UInt8]?
    private var longTarget: [UInt8]?

    var isEmpty: Bool { records.isEmpty && longName == nil && longTarget == nil }

    /// These over the global ones, which never name a path.
    func merged(over global: [String: [UInt8]]) -> TarExtensions {
        var merged = self
        for (key, value) in global where key != "path" && key != "linkpath" && key != "size" && records[key] == nil {
            merged.records[key] = value
        }
        return merged
    }

    /// GNU's long name.
    mutating func setName(_ payload: [UInt8]) {
        longName = TarHeaderBlock.text(payload[...])
        byteCount += payload.count
    }

    /// GNU's long link target.
    mutating func setLinkTarget(_ payload: [UInt8]) {
        longTarget = TarHeaderBlock.text(payload[...])
        byteCount += payload.count
    }

    /// Takes pax records: `LENGTH KEY=VALUE\n`.
    mutating func add(records payload: [UInt8]) throws {
        byteCount += payload.count
        var start = 0
        while start < payload.count {
            guard let blank = payload[start...].prefix(21).firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: payload[start..<blank], as: UTF8.self)), length > blank - start + 1,
                length <= payload.count - start, payload[start + length - 1] == UInt8(ascii: "\n"),
                let equals = payload[blank..<start + length].firstIndex(of: UInt8(ascii: "=")), equals > blank + 1
            else {
                // Padding with NULs is written by some programs.
                if payload[start...].allSatisfy({ $0 == 0 }) { return }
                throw TarHeaderBlock.Problem("a pax header that breaks the format")
            }
            let key = String(decoding: payload[(blank + 1)..<equals], as: UTF8.self)
            let value = Array(payload[(equals + 1)..<(start + length - 1)])
            if key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes" {
                sparsePairs.append(try Self.integer(value))
            }
            records[key] = value
            start += length
        }
    }

    var path: [UInt8]? {
        records["GNU.sparse.name"] ?? records["path"].flatMap { $0.isEmpty ? nil : $0 } ?? longName
    }
    var linkTarget: [UInt8]? { records["linkpath"].flatMap { $0.isEmpty ? nil : $0 } ?? longTarget }
    var size: Int64? { get throws { try number("size") } }

    /// The value of a numeric record.
    func number(_ key: String) throws -> Int64? {
        guard let value = records[key], !value.isEmpty else { return nil }
        return try Self.integer(value)
    }

    /// `mtime`: decimal seconds with an optional fraction.
    var modified: Timestamp? {
        get throws {
            guard let value = records["mtime"], !value.isEmpty else { return nil }
            let parts = value.split(separator: UInt8(ascii: "."), maxSplits: 1)
            let seconds = try Self.integer(parts.first.map { Array($0) } ?? [])
            guard parts.count == 2 else { return Timestamp(seconds: seconds) }
            let digits = Array(parts[1].prefix(9)) + [UInt8](repeating: UInt8(ascii: "0"), count: max(0, 9 - parts[1].count))
            let fraction = Int32(try Self.integer(digits))
            // A negative time counts its fraction downwards.
            return value.first == UInt8(ascii: "-") && fraction > 0
                ? Timestamp(seconds: seconds - 1, nanoseconds: 1_000_000_000 - fraction)
                : Timestamp(seconds: seconds, nanoseconds: fraction)
        }
    }

    var attributes: [String: [UInt8]] {
        var attributes: [String: [UInt8]] = [:]
        for (key, value) in records where key.hasPrefix("SCHILY.xattr.") {
            attributes[String(key.dropFirst("SCHILY.xattr.".count))] = value
        }
        return attributes
    }

    /// The map of a pax sparse file, or `nil` for an ordinary one.
    var sparseMap: TarSparseMap? {
        get throws {
            guard let size = try number("GNU.sparse.realsize") ?? number("GNU.sparse.size") else { return nil }
            var map = TarSparseMap()
            map.size = size
            if let major = try number("GNU.sparse.major"), major == 1 {
                map.isInData = true
            } else {
                var numbers = sparsePairs
                if let text = records["GNU.sparse.map"] {
                    numbers = []
                    for part in text.split(separator: UInt8(ascii: ",")) { numbers.append(try Self.integer(Array(part))) }
                }
                guard numbers.count % 2 == 0 else { throw TarHeaderBlock.Problem("a sparse map with an odd number of values") }
                for index in stride(from: 0, to: numbers.count, by: 2) {
                    try map.add(offset: numbers[index], count: numbers[index + 1])
                }
            }
            return map
        }
    }

    private static func integer(_ digits: [UInt8]) throws -> Int64 {
        guard digits.count <= 20, let value = Int64(String(decoding: digits, as: UTF8.self)) else {
            throw TarHeaderBlock.Problem("a pax header with '\(String(decoding: digits.prefix(24), as: UTF8.self))' for a number")
        }
        return value
    }
}
