internal import WhittleCore
package import WhittleOCI

/// The packages of an image as a document of CycloneDX.
///
/// Format: CycloneDX 1.6 (ECMA-424), its JSON form (`bom-1.6.schema.json`).
package enum CycloneDXDocument {
    /// - Returns: the document; equal subjects with equal packages give equal ones.
    package static func json(_ list: PackageList, of subject: DocumentSubject) -> JSONValue {
        let root = subject.url ?? subject.digest.map { "\($0)" } ?? "directory:\(subject.name)"
        var references: Set<String> = [root]
        var components: [JSONValue] = []
        if let distribution = list.distribution {
            components.append(system(distribution))
            references.insert("os:\(distribution.label)")
        }
        var dependencies = components.compactMap { $0["bom-ref"] }
        for package in list.packages {
            let url = PackageURL.text(package, on: list.distribution)
            var reference = url
            var number = 1
            while !references.insert(reference).inserted {
                number += 1
                reference = "\(url)#\(number)"
            }
            components.append(json(package, url, reference))
            dependencies.append(.string(reference))
        }
        var component: JSONValue = [
            "bom-ref": .string(root), "type": subject.digest == nil ? "file" : "container",
            "name": .string(subject.name),
        ]
        if let digest = subject.digest {
            component["version"] = .string(digest.description)
            component["hashes"] = [["alg": "SHA-256", "content": .string(digest.hex)]]
        }
        if let url = subject.url { component["purl"] = .string(url) }
        return [
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": .string("urn:uuid:\(subject.identifier(of: list, salt: "cyclonedx"))"), "version": 1,
            "metadata": [
                "timestamp": .string(subject.created.rfc3339),
                "tools": [
                    "components": [
                        [
                            "type": "application", "name": .string(subject.tool.name),
                            "version": .string(subject.tool.version),
                        ]
                    ]
                ],
                "component": component,
            ],
            "components": .array(components),
            "dependencies": [["ref": .string(root), "dependsOn": .array(dependencies)]],
        ]
    }

    private static func system(_ distribution: Distribution) -> JSONValue {
        var value: JSONValue = [
            "bom-ref": .string("os:\(distribution.label)"), "type": "operating-system",
            "name": .string(distribution.id),
        ]
        if !distribution.version.isEmpty { value["version"] = .string(distribution.version) }
        if !distribution.prettyName.isEmpty { value["description"] = .string(distribution.prettyName) }
        return value
    }

    private static func json(_ package: Package, _ url: String, _ reference: String) -> JSONValue {
        var value: JSONValue = ["bom-ref": .string(reference), "type": "library"]
        if !package.supplier.isEmpty { value["supplier"] = ["name": .string(package.supplier)] }
        if package.kind == .maven, !package.namespace.isEmpty { value["group"] = .string(package.namespace) }
        value["name"] = .string(package.kind == .maven ? package.name : package.fullName)
        if !package.version.isEmpty { value["version"] = .string(package.fullVersion) }
        switch LicenseExpression(package.license) {
        case nil: break
        case .identifier(let text): value["licenses"] = [["license": ["id": .string(text)]]]
        case .expression(let text): value["licenses"] = [["expression": .string(text)]]
        case .text(let text): value["licenses"] = [["license": ["name": .string(text)]]]
        }
        value["purl"] = .string(url)
        if package.homepage.contains("://"), !package.homepage.contains(" ") {
            value["externalReferences"] = [["type": "website", "url": .string(package.homepage)]]
        }
        value["evidence"] = ["occurrences": .array(package.locations.map { ["location": .string($0)] })]
        return value
    }
}
