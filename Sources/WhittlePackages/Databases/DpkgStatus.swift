/// The packages of a distribution of Debian's family.
///
/// Format: dpkg's `status`, blocks of fields (deb-control(5)); a package is there unless its `Status` says that only its
/// configuration is left, or not even that. Distroless images have a file of one block for each package, without `Status`.
enum DpkgStatus {
    private static let fields: Set<String> = [
        "package", "status", "version", "architecture", "source", "maintainer", "homepage",
    ]

    static func findings(in bytes: [UInt8]) -> Findings {
        var findings = Findings()
        for (position, block) in FieldBlocks.parse(bytes, wanted: fields).enumerated() {
            if let status = block["status"]?.split(separator: " ").last {
                if status == "config-files" || status == "not-installed" { continue }
            }
            guard let name = block["package"], !name.isEmpty else {
                findings.problems.append("its entry \(position + 1) names no package")
                continue
            }
            guard let version = block["version"], !version.isEmpty else {
                findings.problems.append("its entry for '\(name.prefix(100))' has no version")
                continue
            }
            findings.packages.append(
                Package(
                    .deb, name: name, version: version, architecture: block["architecture"] ?? "",
                    source: block["source"].flatMap(source), supplier: block["maintainer"] ?? "",
                    homepage: block["homepage"] ?? ""))
        }
        if findings.isEmpty, !bytes.isEmpty, !bytes.allSatisfy({ $0 == 0x0A || $0 == 0x20 }) {
            findings.problems.append("it is no list of packages of dpkg")
        }
        findings.problems = Problems.few(findings.problems)
        return findings
    }

    /// `NAME` or `NAME (VERSION)`.
    private static func source(_ text: String) -> Package.Source? {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard let name = parts.first else { return nil }
        let version = parts.count > 1 ? parts[1].filter { $0 != "(" && $0 != ")" } : ""
        return Package.Source(name: String(name), version: version)
    }
}

/// Keeps a broken file from filling the screen.
enum Problems {
    private static let shown = 5

    /// The first of `problems`, and how many more there are.
    static func few(_ problems: [String]) -> [String] {
        guard problems.count > shown else { return problems }
        return problems.prefix(shown) + ["there are \(problems.count - shown) more problems of that kind"]
    }
}
