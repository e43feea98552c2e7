internal import WhittleCore
package import WhittleOCI

/// The packages of an image as a document of SPDX.
///
/// Format: SPDX 2.3, its JSON form (`spdx-schema.json`). Licences that SPDX has no name for stand as texts of their own.
package enum SPDXDocument {
    /// - Returns: the document; equal subjects with equal packages give equal ones.
    package static func json(_ list: PackageList, of subject: DocumentSubject) -> JSONValue {
        var texts = LicenseTexts()
        var identifiers: Set<String> = []
        let root = "SPDXRef-DocumentRoot-" + (subject.digest == nil ? "Directory" : "Image")
        var packages: [JSONValue] = [rootPackage(subject, identifier: root)]
        var relationships: [JSONValue] = [relationship("SPDXRef-DOCUMENT", "DESCRIBES", root)]
        if let distribution = list.distribution {
            let identifier = "SPDXRef-OperatingSystem"
            packages.append(system(distribution, identifier: identifier))
            relationships.append(relationship(root, "CONTAINS", identifier))
        }
        for package in list.packages {
            let url = PackageURL.text(package, on: list.distribution)
            let identifier = identifier(of: package, url, taken: &identifiers)
            packages.append(json(package, url, identifier, &texts))
            relationships.append(relationship(root, "CONTAINS", identifier))
        }
        var document: JSONValue = [
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": .string(subject.name),
            "documentNamespace": .string(namespace(list, subject)),
            "creationInfo": [
                "created": .string(subject.created.rfc3339),
                "creators": [.string("Tool: \(subject.tool.name)-\(subject.tool.version)")],
            ],
            "packages": .array(packages),
        ]
        if !texts.json.isEmpty { document["hasExtractedLicensingInfos"] = .array(texts.json) }
        document["relationships"] = .array(relationships)
        return document
    }

    private static func namespace(_ list: PackageList, _ subject: DocumentSubject) -> String {
        let kind = subject.digest == nil ? "dir" : "image"
        return "https://whittle.dev/spdx/\(kind)/\(subject.identifier(of: list, salt: "spdx"))"
    }

    private static func relationship(_ from: String, _ type: String, _ to: String) -> JSONValue {
        [
            "spdxElementId": .string(from), "relationshipType": .string(type), "relatedSpdxElement": .string(to),
        ]
    }

    private static func rootPackage(_ subject: DocumentSubject, identifier: String) -> JSONValue {
        var package: JSONValue = [
            "name": .string(subject.name), "SPDXID": .string(identifier), "downloadLocation": "NOASSERTION",
            "filesAnalyzed": false, "copyrightText": "NOASSERTION", "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "NOASSERTION",
            "primaryPackagePurpose": subject.digest == nil ? "FILE" : "CONTAINER",
        ]
        if let digest = subject.digest {
            package["versionInfo"] = .string(digest.description)
            package["checksums"] = [["algorithm": "SHA256", "checksumValue": .string(digest.hex)]]
        }
        if let url = subject.url { package["externalRefs"] = [reference(url)] }
        return package
    }

    private static func system(_ distribution: Distribution, identifier: String) -> JSONValue {
        var package: JSONValue = [
            "name": .string(distribution.id), "SPDXID": .string(identifier), "downloadLocation": "NOASSERTION",
            "filesAnalyzed": false, "copyrightText": "NOASSERTION", "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "NOASSERTION", "primaryPackagePurpose": "OPERATING-SYSTEM",
        ]
        if !distribution.version.isEmpty { package["versionInfo"] = .string(distribution.version) }
        if !distribution.prettyName.isEmpty { package["description"] = .string(distribution.prettyName) }
        return package
    }

    private static func reference(_ url: String) -> JSONValue {
        [
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": .string(url),
        ]
    }

    private static func json(
        _ package: Package, _ url: String, _ identifier: String, _ texts: inout LicenseTexts
    ) -> JSONValue {
        var value: JSONValue = ["name": .string(package.fullName), "SPDXID": .string(identifier)]
        if !package.version.isEmpty { value["versionInfo"] = .string(package.fullVersion) }
        value["supplier"] = .string(Self.supplier(package))
        value["downloadLocation"] = "NOASSERTION"
        value["filesAnalyzed"] = false
        if package.homepage.contains("://"), !package.homepage.contains(" ") {
            value["homepage"] = .string(package.homepage)
        }
        value["sourceInfo"] = .string("found in " + package.locations.joined(separator: ", "))
        value["licenseConcluded"] = "NOASSERTION"
        value["licenseDeclared"] = .string(texts.declared(package.license))
        value["copyrightText"] = "NOASSERTION"
        value["externalRefs"] = [reference(url)]
        return value
    }

    /// A person where there is an address, else an organisation: what the package itself says does not tell them apart.
    private static func supplier(_ package: Package) -> String {
        guard !package.supplier.isEmpty else { return "NOASSERTION" }
        guard let open = package.supplier.firstIndex(of: "<"), let close = package.supplier.firstIndex(of: ">"),
            open < close
        else { return "Organization: \(package.supplier)" }
        let name = String(package.supplier[..<open]).trimmingBlanks
        let address = package.supplier[package.supplier.index(after: open)..<close]
        return "Person: \(name.isEmpty ? String(address) : name) (\(address))"
    }

    private static func identifier(of package: Package, _ url: String, taken: inout Set<String>) -> String {
        let digest = Digest(hashing: url).hex.prefix(16)
        let name = package.fullName.map {
            $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "-"
        }
        let base = "SPDXRef-Package-\(package.kind.rawValue)-\(String(name.prefix(80)))-\(digest)"
        var identifier = base
        var number = 1
        while !taken.insert(identifier).inserted {
            number += 1
            identifier = "\(base)-\(number)"
        }
        return identifier
    }
}

/// The licences that SPDX has no name for.
private struct LicenseTexts {
    private var references: [String: String] = [:]

    /// What a document says for the licence of a package.
    mutating func declared(_ license: String) -> String {
        switch LicenseExpression(license) {
        case nil: return "NOASSERTION"
        case .identifier(let text), .expression(let text): return text
        case .text(let text):
            let name = "LicenseRef-" + Digest(hashing: text).hex.prefix(16)
            references[text] = name
            return name
        }
    }

    var json: [JSONValue] {
        references.sorted { $0.value < $1.value }.map { text, name in
            ["licenseId": .string(name), "name": .string(String(text.prefix(200))), "extractedText": .string(text)]
        }
    }
}
