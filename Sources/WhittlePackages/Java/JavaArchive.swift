/// What a Java archive says of itself, and of the archives in it.
///
/// Maven writes `META-INF/maven/GROUP/ARTIFACT/pom.properties`, several where archives were merged into one; others say
/// something in `META-INF/MANIFEST.MF` (JAR file specification); else there is the name of the file.
enum JavaArchive {
    /// A program in a WAR in an EAR; nobody nests deeper.
    private static let depthLimit = 3
    private static let fileLimit = 1 << 20
    /// What may be unpacked of one, and of the archives in it.
    private static let nestedLimit = 256 << 20
    /// Archives in one, those in them included.
    private static let archiveLimit = 5_000

    static func findings(in bytes: [UInt8], named name: String) -> Findings {
        var reading = Reading(room: nestedLimit)
        reading.read(bytes[...], named: name, path: "", depth: 1)
        return Findings(reading.packages, problems: Problems.few(reading.problems))
    }

    private struct Reading {
        /// Bytes that may still be unpacked.
        var room: Int
        var archives = 0
        var packages: [Package] = []
        var problems: [String] = []

        init(room: Int) { self.room = room }

        /// - Parameter path: where in the outermost archive it is; empty for that one.
        mutating func read(_ bytes: ArraySlice<UInt8>, named name: String, path: String, depth: Int) {
            let directory: ZipDirectory
            do throws(ZipDirectory.Invalid) { directory = try ZipDirectory(bytes) } catch {
                problems.append(path.isEmpty ? error.reason : "'\(path)' in it: \(error.reason)")
                return
            }
            var found: [Package] = []
            var manifest: [String: String] = [:]
            for entry in directory.entries {
                if entry.name.hasPrefix("META-INF/maven/"), entry.name.hasSuffix("/pom.properties") {
                    guard let text = contents(of: entry, directory, JavaArchive.fileLimit) else { continue }
                    if let package = JavaArchive.package(properties: text) { found.append(package) }
                } else if entry.name == "META-INF/MANIFEST.MF" {
                    guard let text = contents(of: entry, directory, JavaArchive.fileLimit) else { continue }
                    manifest = JavaArchive.manifest(text)
                } else if EvidenceKind(ofFileAt: entry.name) == .java {
                    readNested(entry, directory, path, depth)
                }
            }
            if found.isEmpty, let package = JavaArchive.package(manifest: manifest, file: name) {
                found.append(package)
            }
            packages += found.map { package in
                var package = package
                if !path.isEmpty { package.locations = [path] }
                return package
            }
        }

        private mutating func readNested(
            _ entry: ZipDirectory.Entry, _ directory: ZipDirectory, _ path: String, _ depth: Int
        ) {
            let inner = path.isEmpty ? entry.name : "\(path)!/\(entry.name)"
            archives += 1
            guard archives <= JavaArchive.archiveLimit else {
                if archives == JavaArchive.archiveLimit + 1 { problems.append("it has too many archives in it") }
                return
            }
            guard depth < JavaArchive.depthLimit else {
                problems.append("'\(inner.prefix(400))' in it is nested too deep to be looked into")
                return
            }
            guard let bytes = contents(of: entry, directory, JavaArchive.nestedLimit) else { return }
            let name =
                entry.name.lastIndex(of: "/").map { String(entry.name[entry.name.index(after: $0)...]) } ?? entry.name
            read(bytes, named: name, path: inner, depth: depth + 1)
        }

        private mutating func contents(
            of entry: ZipDirectory.Entry, _ directory: ZipDirectory, _ limit: Int
        ) -> ArraySlice<UInt8>? {
            // What is stored takes no memory of its own.
            if entry.method != 0 {
                room -= entry.size
                guard room >= 0 else {
                    problems.append("it unpacks to more than \(JavaArchive.nestedLimit >> 20) MiB")
                    return nil
                }
            }
            do throws(ZipDirectory.Invalid) { return try directory.contents(of: entry, limit: limit) } catch {
                problems.append(error.reason)
                return nil
            }
        }
    }

    private static func package(properties bytes: ArraySlice<UInt8>) -> Package? {
        var values: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) where !line.hasPrefix("#")
        {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let group = values["groupId"], let name = values["artifactId"], let version = values["version"] else {
            return nil
        }
        return Package(
            .maven, namespace: String(group).trimmingBlanks, name: String(name).trimmingBlanks,
            version: String(version).trimmingBlanks)
    }

    /// The main section, with continued lines put together; names in lower case.
    private static func manifest(_ bytes: ArraySlice<UInt8>) -> [String: String] {
        var values: [String: String] = [:]
        var last: String?
        for line in String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        {
            if line.isEmpty { break }
            if line.hasPrefix(" "), let last {
                values[last]? += line.dropFirst()
            } else if let colon = line.firstIndex(of: ":") {
                let name = line[..<colon].lowercased()
                values[name] = String(line[line.index(after: colon)...]).trimmingBlanks
                last = name
            }
        }
        return values
    }

    private static func package(manifest: [String: String], file: String) -> Package? {
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { manifest[$0] }.first { !$0.isEmpty && !$0.contains("${") }
        }
        let (fileName, fileVersion) = parts(ofFile: file)
        // A title is a text for people; one with blanks is no name of a package.
        let title = value("implementation-title", "bundle-symbolicname")?.split(separator: ";").first.map(String.init)
        let name = title.flatMap { $0.contains(" ") ? nil : $0 } ?? fileName
        let version = value("implementation-version", "bundle-version") ?? fileVersion ?? ""
        guard !name.isEmpty, !version.isEmpty else { return nil }
        let license = value("bundle-license").flatMap { $0.utf8.count <= 100 ? $0 : nil } ?? ""
        let supplier = value("implementation-vendor", "bundle-vendor") ?? ""
        guard let group = value("implementation-vendor-id"), !group.contains(" ") else {
            return Package(.generic, name: name, version: version, license: license, supplier: supplier)
        }
        return Package(.maven, namespace: group, name: name, version: version, license: license, supplier: supplier)
    }

    /// `NAME-VERSION.jar`, where the version begins with a digit.
    private static func parts(ofFile file: String) -> (name: String, version: String?) {
        let stem = file.lastIndex(of: ".").map { file[..<$0] } ?? file[...]
        var place = stem.startIndex
        while let dash = stem[place...].firstIndex(of: "-") {
            let next = stem.index(after: dash)
            if next < stem.endIndex, stem[next].isNumber { return (String(stem[..<dash]), String(stem[next...])) }
            place = next
        }
        return (String(stem), nil)
    }
}
