/// One package of an RPM database.
///
/// Format: RPM's header blob as databases keep it (without the magic): two numbers, of the index entries and of the bytes of
/// data; entries of four numbers (tag, type, offset, count); the data. Numbers have 32 bits, most significant byte first.
enum RPMHeader {
    /// Why a blob is no header, as the end of a sentence.
    struct Invalid: Error { let reason: String }

    private enum Tag: UInt64 {
        case name = 1000
        case version = 1001
        case release = 1002
        case epoch = 1003
        case vendor = 1011
        case license = 1014
        case url = 1020
        case architecture = 1022
        case sourceRPM = 1044
    }

    /// The package of a header; `nil` for a key that signs packages, which RPM keeps among them.
    static func package(_ blob: [UInt8]) throws(Invalid) -> Package? {
        let values = try values(blob)
        guard let name = values[.name], let version = values[.version], let release = values[.release], !name.isEmpty
        else {
            throw Invalid(reason: "a header has no name or version")
        }
        guard name != "gpg-pubkey" else { return nil }
        return Package(
            .rpm, name: name, version: "\(version)-\(release)", architecture: values[.architecture] ?? "",
            source: values[.sourceRPM].flatMap(source), epoch: values[.epoch].flatMap { UInt32($0) },
            license: values[.license] ?? "", supplier: values[.vendor] ?? "", homepage: values[.url] ?? "")
    }

    /// `NAME-VERSION-RELEASE.src.rpm`.
    private static func source(_ file: String) -> Package.Source? {
        guard file.hasSuffix(".rpm") else { return nil }
        let parts = file.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return nil }
        let name = parts.dropLast(2).joined(separator: "-")
        var version = parts.suffix(2).joined(separator: "-")
        for ending in [".src.rpm", ".nosrc.rpm"] where version.hasSuffix(ending) {
            version = String(version.dropLast(ending.count))
        }
        return Package.Source(name: name, version: version)
    }

    private static func values(_ blob: [UInt8]) throws(Invalid) -> [Tag: String] {
        func number(_ offset: Int) -> Int {
            Int(blob[offset..<offset + 4].integer(isBigEndian: true))
        }
        guard blob.count >= 8 else { throw Invalid(reason: "a header is cut short") }
        let (entries, size) = (number(0), number(4))
        // RPM's own limits are larger than any package that was seen.
        guard entries <= 1 << 20, size <= 256 << 20, 8 + entries * 16 + size <= blob.count else {
            throw Invalid(reason: "a header is cut short")
        }
        let data = 8 + entries * 16
        var values: [Tag: String] = [:]
        for index in 0..<entries {
            let entry = 8 + index * 16
            guard let tag = Tag(rawValue: UInt64(number(entry))), values[tag] == nil else { continue }
            let (type, offset) = (number(entry + 4), number(entry + 8))
            guard offset < size else { throw Invalid(reason: "a header points outside of itself") }
            let place = data + offset
            switch type {
            // A number of 32 bits.
            case 4: if offset + 4 <= size { values[tag] = "\(number(place))" }
            // A text, a list of texts, texts in several languages: the first.
            case 6, 8, 9:
                let rest = blob[place..<data + size]
                guard let end = rest.firstIndex(of: 0) else { throw Invalid(reason: "a text of a header has no end") }
                values[tag] = String(decoding: rest[..<end], as: UTF8.self)
            default: break
            }
        }
        return values
    }

    /// What the blobs of a database say.
    static func findings(_ blobs: some Sequence<[UInt8]>) -> Findings {
        var findings = Findings()
        for blob in blobs {
            do throws(Invalid) { if let package = try package(blob) { findings.packages.append(package) } } catch {
                findings.problems.append(error.reason)
            }
        }
        findings.problems = Problems.few(findings.problems)
        return findings
    }
}
