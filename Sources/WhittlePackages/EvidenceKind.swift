/// What a file may say of packages, by its path.
package enum EvidenceKind: String, Hashable, Sendable, CaseIterable {
    case release
    case dpkg
    case apk
    /// `rpmdb.sqlite`.
    case rpmSQLite
    /// What SQLite has not put into `rpmdb.sqlite` yet.
    case rpmLog
    /// `Packages.db` of openSUSE.
    case rpmNDB
    /// `Packages` of Berkeley DB, of older distributions.
    case rpmBerkeley
    case python
    case nodePackage
    case nodeLock
    case java
    /// A program, which may have been linked by Go: known by its first bytes, not by its path.
    case program

    /// Where the distribution is named, most wanted first.
    static let releasePaths = ["etc/os-release", "usr/lib/os-release"]

    private static let rpmDirectories = ["var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"]
    private static let javaEndings = [".jar", ".war", ".ear", ".jpi", ".hpi"]
    private static let dpkgDirectory = "var/lib/dpkg/status.d/"

    /// - Parameter path: from the root, without a leading slash.
    /// - Returns: ``program`` for every path that says nothing by itself.
    package init(ofFileAt path: String) {
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        self = Self.database(path, name) ?? Self.language(path, name) ?? .program
    }

    private static func database(_ path: String, _ name: Substring) -> EvidenceKind? {
        if releasePaths.contains(path) { return .release }
        if path == "var/lib/dpkg/status" { return .dpkg }
        // What distroless images have: one file for each package, and lists of its files beside it.
        if path.hasPrefix(dpkgDirectory), !name.hasSuffix(".md5sums"), !name.hasPrefix(".") { return .dpkg }
        if path == "lib/apk/db/installed" || path == "usr/lib/apk/db/installed" { return .apk }
        guard
            rpmDirectories.contains(where: { path.utf8.count == $0.utf8.count + name.utf8.count && path.hasPrefix($0) })
        else { return nil }
        switch name {
        case "rpmdb.sqlite": return .rpmSQLite
        case "rpmdb.sqlite-wal": return .rpmLog
        case "Packages.db": return .rpmNDB
        case "Packages": return .rpmBerkeley
        default: return nil
        }
    }

    private static func language(_ path: String, _ name: Substring) -> EvidenceKind? {
        switch name {
        case "METADATA": return parent(of: path).hasSuffix(".dist-info") ? .python : nil
        case "PKG-INFO": return parent(of: path).hasSuffix(".egg-info") ? .python : nil
        case "package.json": return isNodePackage(path) ? .nodePackage : nil
        case "package-lock.json", "npm-shrinkwrap.json": return path.contains("node_modules/") ? nil : .nodeLock
        default:
            if name.hasSuffix(".egg-info") { return .python }
            return javaEndings.contains { name.hasSuffix($0) } ? .java : nil
        }
    }

    private static func parent(of path: String) -> Substring {
        let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        return directory.lastIndex(of: "/").map { directory[directory.index(after: $0)...] } ?? directory
    }

    /// `node_modules/NAME/package.json` or `node_modules/@SCOPE/NAME/package.json`: packages have more such files in them,
    /// which are no packages.
    private static func isNodePackage(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard parts.count >= 3 else { return false }
        if parts[parts.count - 3] == "node_modules" { return !parts[parts.count - 2].hasPrefix("@") }
        return parts.count >= 4 && parts[parts.count - 4] == "node_modules" && parts[parts.count - 3].hasPrefix("@")
    }

    /// A larger file is not looked into: it has to be in memory as a whole.
    var sizeLimit: Int {
        switch self {
        case .release: 1 << 20
        case .nodePackage, .python: 4 << 20
        case .dpkg, .apk, .nodeLock: 64 << 20
        case .rpmSQLite, .rpmLog, .rpmNDB, .rpmBerkeley, .java: 256 << 20
        // Read as it streams by.
        case .program: Int.max
        }
    }
}
