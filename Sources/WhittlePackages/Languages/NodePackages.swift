internal import WhittleOCI

/// What npm and its relatives install, and what their lock files name.
enum NodePackages {
    /// `package.json` of an installed package.
    static func findings(inPackage bytes: [UInt8]) -> Findings {
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: bytes, depthLimit: 64) } catch {
            return .problem("it is no JSON document: \(error)")
        }
        guard let name = document["name"]?.string, !name.isEmpty else { return .problem("it has no name of a package") }
        // Examples in packages, and packages of a workspace, have none: nothing that could be looked up.
        guard let version = document["version"]?.string, !version.isEmpty else { return Findings() }
        return Findings([
            package(
                name, version, license: license(document), supplier: person(document["author"]),
                homepage: document["homepage"]?.string ?? "")
        ])
    }

    /// `package-lock.json` of lockfileVersion 1, 2 or 3.
    static func findings(inLock bytes: [UInt8]) -> Findings {
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: bytes, depthLimit: 128) } catch {
            return .problem("it is no JSON document: \(error)")
        }
        if let packages = document["packages"]?.object { return Findings(locked(packages)) }
        if let dependencies = document["dependencies"]?.object { return Findings(nested(dependencies, depth: 0)) }
        guard document["lockfileVersion"] != nil else { return .problem("it is no lock file of npm") }
        return Findings()
    }

    private static func locked(_ packages: JSONObject) -> [Package] {
        packages.members.compactMap { member in
            let (key, value) = (member.key, member.value)
            // The project itself, and links to its workspaces, are not from anywhere.
            guard !key.isEmpty, value["link"]?.bool != true, let version = value["version"]?.string else { return nil }
            let marker = "node_modules/"
            let path = key.components(separatedBy: marker)
            guard path.count > 1, let last = path.last, !last.isEmpty else { return nil }
            return package(value["name"]?.string ?? last, version, license: license(value))
        }
    }

    private static func nested(_ dependencies: JSONObject, depth: Int) -> [Package] {
        guard depth < 64 else { return [] }
        return dependencies.members.flatMap { member in
            let (key, value) = (member.key, member.value)
            var found = value["dependencies"]?.object.map { nested($0, depth: depth + 1) } ?? []
            // What is not a number is the address of a repository.
            if let version = value["version"]?.string, version.first?.isNumber == true {
                found.append(package(key, version, license: ""))
            }
            return found
        }
    }

    private static func package(
        _ name: String, _ version: String, license: String, supplier: String = "", homepage: String = ""
    ) -> Package {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        let isScoped = parts.count == 2 && name.hasPrefix("@")
        return Package(
            .npm, namespace: isScoped ? parts[0] : "", name: isScoped ? parts[1] : name, version: version,
            license: license, supplier: supplier, homepage: homepage)
    }

    /// A text; an object with a type; a list of them.
    private static func license(_ document: JSONValue) -> String {
        func text(_ value: JSONValue) -> String? { value.string ?? value["type"]?.string }
        if let license = document["license"].flatMap(text) { return license }
        let all = (document["licenses"]?.array ?? []).compactMap(text)
        return all.count > 1 ? "(\(all.joined(separator: " OR ")))" : all.first ?? ""
    }

    /// `Name <address> (page)`, or an object.
    private static func person(_ value: JSONValue?) -> String {
        if let text = value?.string {
            let end = text.firstIndex(of: "(") ?? text.endIndex
            return String(text[..<end]).trimmingBlanks
        }
        guard let name = value?["name"]?.string else { return "" }
        return value?["email"]?.string.map { "\(name) <\($0)>" } ?? name
    }
}

extension String {
    /// The pieces between the places of `separator`.
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }

    /// Without blanks around it.
    var trimmingBlanks: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }
}
