/// The packages of Alpine and its relatives.
///
/// Format: apk's `installed` (apk v2): lines of a letter, a colon and a value, with an empty line behind each package. The
/// lines of its files follow those of the package.
enum ApkDatabase {
    static func findings(in bytes: [UInt8]) -> Findings {
        var findings = Findings()
        var fields: [UInt8: String] = [:]
        var entries = 0
        func end() {
            guard !fields.isEmpty else { return }
            entries += 1
            defer { fields = [:] }
            guard let name = fields[UInt8(ascii: "P")], !name.isEmpty else {
                findings.problems.append("its entry \(entries) names no package")
                return
            }
            guard let version = fields[UInt8(ascii: "V")], !version.isEmpty else {
                findings.problems.append("its entry for '\(name.prefix(100))' has no version")
                return
            }
            findings.packages.append(
                Package(
                    .apk, name: name, version: version, architecture: fields[UInt8(ascii: "A")] ?? "",
                    source: fields[UInt8(ascii: "o")].map { Package.Source(name: $0) },
                    license: fields[UInt8(ascii: "L")] ?? "", supplier: fields[UInt8(ascii: "m")] ?? "",
                    homepage: fields[UInt8(ascii: "U")] ?? ""))
        }
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard let key = line.first else {
                end()
                continue
            }
            guard line.count >= 2, line[line.startIndex + 1] == UInt8(ascii: ":"), wanted.contains(key),
                fields[key] == nil
            else { continue }
            fields[key] = FieldBlocks.trimmed(line.dropFirst(2))
        }
        end()
        if findings.isEmpty, !bytes.isEmpty, !bytes.allSatisfy({ $0 == 0x0A }) {
            findings.problems.append("it is no list of packages of apk")
        }
        findings.problems = Problems.few(findings.problems)
        return findings
    }

    private static let wanted = Set("PVALoUm".utf8)
}
