/// All packages of a file system, put together from the ``Findings`` of its files.
package struct PackageList: Sendable {
    /// By kind, name and version; of packages that are alike in these and their architecture only one, with all its places.
    package let packages: [Package]
    package let distribution: Distribution?
    /// Whole sentences, each naming the file.
    package let warnings: [String]

    /// - Parameter files: what each file says, by its path from the root without a leading slash.
    package init(_ files: [(path: String, kind: EvidenceKind, findings: Findings)]) {
        let files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        let installed = Set(files.filter { $0.kind == .nodePackage }.map { Self.nodeRoot($0.path) })
        let isSystem = files.contains { $0.findings.distribution != nil }
        var merged: [Identity: Package] = [:]
        var warnings: [String] = []
        var distributions: [String: Distribution] = [:]
        for file in files {
            // A lock file says what is to be installed: in a system, and where the modules are, it says nothing of what is.
            if file.kind == .nodeLock, isSystem || installed.contains(Self.directory(of: file.path)) { continue }
            for problem in file.findings.problems {
                warnings.append("looking for packages in '/\(file.path)': \(problem)")
            }
            distributions[file.path] = file.findings.distribution
            for package in file.findings.packages {
                let inner = package.locations.map { "/\(file.path)!/\($0)" }
                let places = inner.isEmpty ? ["/" + file.path] : inner
                merged[Identity(package), default: package.at([])].add(places, of: package)
            }
        }
        packages = merged.sorted { $0.key < $1.key }.map { $0.value }
        self.warnings = warnings
        distribution = EvidenceKind.releasePaths.lazy.compactMap { distributions[$0] }.first
    }

    /// The directory that `node_modules` is in.
    private static func nodeRoot(_ path: String) -> String {
        var parts = path.split(separator: "/")
        guard let first = parts.firstIndex(of: "node_modules") else { return path }
        parts.removeSubrange(first...)
        return parts.joined(separator: "/")
    }

    private static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    private struct Identity: Hashable, Comparable {
        let kind: PackageKind
        let name: String
        let version: String
        let architecture: String

        init(_ package: Package) {
            kind = package.kind
            name = package.fullName
            version = package.fullVersion
            architecture = package.architecture
        }

        static func < (left: Self, right: Self) -> Bool {
            if left.kind != right.kind { return left.kind < right.kind }
            if left.name != right.name { return left.name.utf8.lexicographicallyPrecedes(right.name.utf8) }
            if left.version != right.version { return left.version.utf8.lexicographicallyPrecedes(right.version.utf8) }
            return left.architecture < right.architecture
        }
    }
}

extension Package {
    fileprivate func at(_ locations: [String]) -> Package {
        var package = self
        package.locations = locations
        return package
    }

    fileprivate mutating func add(_ places: [String], of other: Package) {
        locations = Set(locations + places).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        if license.isEmpty { license = other.license }
        if supplier.isEmpty { supplier = other.supplier }
        if homepage.isEmpty { homepage = other.homepage }
    }
}
