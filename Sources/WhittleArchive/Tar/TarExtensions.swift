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
        guard !global.isEmpty else { return self }
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
                let length = Self.decimal(payload[start..<blank]), length > Int64(blank - start + 1),
                length <= Int64(payload.count - start), payload[start + Int(length) - 1] == UInt8(ascii: "\n"),
                let equals = payload[blank..<start + Int(length)].firstIndex(of: UInt8(ascii: "=")), equals > blank + 1
            else {
                // Padding with NULs is written by some programs.
                if payload[start...].allSatisfy({ $0 == 0 }) { return }
                throw TarHeaderBlock.Problem("a pax header that breaks the format")
            }
            let end = start + Int(length)
            let key = String(decoding: payload[(blank + 1)..<equals], as: UTF8.self)
            let value = Array(payload[(equals + 1)..<(end - 1)])
            guard !key.utf8.contains(0) else { throw TarHeaderBlock.Problem("a pax header whose key has a NUL byte") }
            if key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes" {
                sparsePairs.append(try Self.integer(value[...]))
            }
            records[key] = value
            start = end
        }
    }

    var path: [UInt8]? {
        records["GNU.sparse.name"] ?? records["path"].flatMap { $0.isEmpty ? nil : $0 } ?? longName
    }
    var linkTarget: [UInt8]? { records["linkpath"].flatMap { $0.isEmpty ? nil : $0 } ?? longTarget }
    var size: Int64? { get throws { try number("size") } }

    /// The value of a numeric record.
    func number(_ key: String) throws -> Int64? {
        guard !records.isEmpty, let value = records[key], !value.isEmpty else { return nil }
        return try Self.integer(value[...])
    }

    /// `mtime`: decimal seconds with an optional fraction, which counts downwards where the time is negative.
    var modified: Timestamp? {
        get throws {
            guard !records.isEmpty, let value = records["mtime"], !value.isEmpty else { return nil }
            let point = value.firstIndex(of: UInt8(ascii: ".")) ?? value.count
            let isNegative = value[0] == UInt8(ascii: "-")
            let whole = value[(isNegative ? 1 : 0)..<point]
            let seconds = whole.isEmpty ? 0 : try Self.integer(whole)
            let digits = value[min(point + 1, value.count)...].prefix(9)
            guard seconds >= 0, digits.allSatisfy({ (0x30...0x39).contains($0) }), whole.count + digits.count > 0 else {
                throw Self.noNumber(value[...])
            }
            var nanoseconds = digits.reduce(Int32(0)) { $0 * 10 + Int32($1 - 0x30) }
            for _ in digits.count..<9 { nanoseconds *= 10 }
            guard isNegative else { return Timestamp(seconds: seconds, nanoseconds: nanoseconds) }
            return nanoseconds == 0
                ? Timestamp(seconds: -seconds)
                : Timestamp(seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds)
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
                    numbers = try text.split(separator: UInt8(ascii: ",")).map { try Self.integer($0) }
                }
                guard numbers.count % 2 == 0 else {
                    throw TarHeaderBlock.Problem("a sparse map with an odd number of values")
                }
                for index in stride(from: 0, to: numbers.count, by: 2) {
                    try map.add(offset: numbers[index], count: numbers[index + 1])
                }
            }
            return map
        }
    }

    /// Digits with an optional minus.
    private static func integer(_ text: ArraySlice<UInt8>) throws -> Int64 {
        let isNegative = text.first == UInt8(ascii: "-")
        guard let value = decimal(text.dropFirst(isNegative ? 1 : 0)) else { throw noNumber(text) }
        return isNegative ? -value : value
    }

    /// One digit or more, and nothing else; `nil` also where the value does not fit.
    private static func decimal(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflows) = product.addingReportingOverflow(Int64(digit) - 0x30)
            guard (0x30...0x39).contains(digit), !productOverflows, !sumOverflows else { return nil }
            value = sum
        }
        return digits.isEmpty ? nil : value
    }

    private static func noNumber(_ text: ArraySlice<UInt8>) -> TarHeaderBlock.Problem {
        TarHeaderBlock.Problem("a pax header with '\(String(decoding: text.prefix(24), as: UTF8.self))' for a number")
    }
}
