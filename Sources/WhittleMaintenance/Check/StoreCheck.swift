internal import Glibc
internal import SystemPackage
internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleSnapshot
internal import WhittleStore

/// Looks whether everything in a store is what it says it is, and drops what is not.
///
/// Blobs are read and digested; of images, documents and layers have to be there; snapshots need their parents and, where
/// this program wrote a layer of them, still have to give that layer; the database is checked by SQLite. Builds may run
/// meanwhile: what they add is not looked at, and what they use is not removed.
package struct StoreCheck: Sendable {
    let layout: StoreLayout
    let database: CacheDatabase
    /// How many threads read.
    let threads: Int

    /// Opens the store at `root`, which must exist.
    ///
    /// - Throws: `store-unusable`, `store-version`, `cache-database`.
    package init(storeAt root: String) throws {
        layout = try StoreLayout(openingAt: root)
        database = try CacheDatabase(path: layout.database)
        threads = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// What one pass found: sentences, and what to remove.
    struct Findings {
        var report = CheckReport()
        var damaged: [ObjectID: Int] = [:]
        /// Entries of the image index that stand for images that are not whole, by the problem.
        var entries: [Descriptor: Int] = [:]
        var isDatabaseDamaged = false
        /// The problem of an index that cannot be read at all.
        var unreadableIndex: Int?

        /// - Parameter removing: what is dropped in a repair.
        mutating func note(_ subject: String, _ finding: String, removing id: ObjectID? = nil) {
            if let id { damaged[id] = report.problems.count }
            report.problems.append(CheckReport.Problem(subject: subject, finding: finding))
        }
    }

    /// Checks the store.
    ///
    /// - Parameter repairs: whether what is damaged is removed.
    /// - Throws: what keeps the check from being made: `file-system`, `cache-database`. `CancellationError`.
    package func run(repairs: Bool) async throws -> CheckReport {
        var findings = try await BlockingPool.shared.runCancellable { cancellation in
            var findings = Findings()
            try checkLeftovers(&findings, sweeps: repairs)
            try checkBlobs(&findings, cancellation)
            try checkImages(&findings)
            checkDatabase(&findings)
            try checkSnapshots(&findings, cancellation)
            return findings
        }
        guard repairs, !findings.report.isClean else { return findings.report }
        try await repairIndex(&findings)
        let lock = try await layout.lock("collector")
        defer { lock.release() }
        return try await BlockingPool.shared.runCancellable { [findings] cancellation in
            try remove(findings, cancellation)
        }
    }

    // MARK: - What was left

    private func checkLeftovers(_ findings: inout Findings, sweeps: Bool) throws {
        let names = try RootDirectory(layout.active).names(in: "/").map(\.description)
        let dead = Set(names.filter { !$0.hasSuffix(".lock") }).subtracting(try ProcessScratch.living(in: layout))
        if !dead.isEmpty {
            let what =
                dead.count == 1
                ? "a process that was killed left a directory"
                : "\(dead.count) processes that were killed left directories"
            findings.report.notes.append("\(what) in 'active': \(sweeps ? "removed" : "the next build removes that")")
        }
        if sweeps { try ProcessScratch.sweep(layout) }
        for name in try RootDirectory(layout.root).names(in: "/").map(\.description)
        where InventoryReader.isLeftover(name) || name.hasSuffix(".tmp") {
            findings.note(name, "it was put aside or left behind, and is of no use", removing: .leftover(name))
        }
    }

    // MARK: - Images

    private func checkImages(_ findings: inout Findings) throws {
        let entries: [Descriptor]
        do { entries = try ImageNames(layout).descriptors() } catch let error as BuildError {
            guard error.code == .imageIndexCorrupt else { throw error }
            findings.unreadableIndex = findings.report.problems.count
            findings.note("index.json", error.message)
            return
        }
        findings.report.imageCount = entries.count
        for entry in entries {
            let name = entry.annotations[ImageNames.nameAnnotation] ?? "\(entry.digest)"
            var missing: [String] = []
            let blobs = BlobStore(layout)
            let parts = NamedBlobs(blobs).reachable(from: [entry]) { descriptor, error in
                missing.append("\(descriptor.digest) (\((error as? BuildError)?.message ?? "\(error)"))")
            }
            for digest in parts.sorted() {
                let isThere = try blobs.size(of: digest) != nil && findings.damaged[.blob(digest)] == nil
                if !isThere, !missing.contains(where: { $0.hasPrefix("\(digest)") }) { missing.append("\(digest)") }
            }
            guard !missing.isEmpty else { continue }
            findings.entries[entry] = findings.report.problems.count
            findings.note("image \(name)", "it lacks \(missing.joined(separator: ", "))")
        }
    }

    private func repairIndex(_ findings: inout Findings) async throws {
        if let index = findings.unreadableIndex {
            let lock = try await layout.lock("image-names")
            defer { lock.release() }
            guard unlink(layout.imageIndex) == 0 || errno == ENOENT else {
                throw BuildError.fileSystem("remove", layout.imageIndex, .init(rawValue: errno))
            }
            findings.report.problems[index].outcome = .removed
        }
        let unusable = findings.entries
        guard !unusable.isEmpty else { return }
        try await ImageNames(layout).removeEntries { unusable[$0] != nil }
        for index in unusable.values { findings.report.problems[index].outcome = .removed }
    }

    // MARK: - The database

    private static let databaseSubject = "whittle.db"

    private func checkDatabase(_ findings: inout Findings) {
        do {
            let problems = try database.problems()
            for problem in problems { findings.note(Self.databaseSubject, problem) }
            findings.isDatabaseDamaged = !problems.isEmpty
        } catch {
            findings.note(Self.databaseSubject, (error as? BuildError)?.message ?? "\(error)")
            findings.isDatabaseDamaged = true
        }
    }

    /// Begins the database anew: it holds only what can be found out again. A running build goes on with the old file.
    private func replaceDatabase(_ report: inout CheckReport) throws -> CacheDatabase {
        for suffix in ["", "-wal", "-shm"] where unlink(layout.database + suffix) != 0 && errno != ENOENT {
            throw BuildError.fileSystem("remove", layout.database + suffix, .init(rawValue: errno))
        }
        for index in report.problems.indices where report.problems[index].subject == Self.databaseSubject {
            report.problems[index].outcome = .removed
        }
        return try CacheDatabase(path: layout.database)
    }

    // MARK: - Repair

    /// Removes what was found damaged, and the snapshots that stand on it.
    private func remove(_ findings: Findings, _ cancellation: Cancellation) throws -> CheckReport {
        var report = findings.report
        let database = findings.isDatabaseDamaged ? try replaceDatabase(&report) : database
        let inventory = try InventoryReader(layout: layout, database: database).read()
        let removal = try StoreRemoval(layout: layout, database: database, inventory: inventory, keepsNamed: false)
        let depths = inventory.depths
        let unknown = findings.damaged.keys.filter { inventory.objects[$0] == nil }.map {
            StoreObject(id: $0, type: .internal, size: .zero, lastUsed: Timestamp(seconds: 0))
        }
        let objects = findings.damaged.keys.compactMap { inventory.objects[$0] }
            .sorted { (depths[$0.id] ?? 0, $0.id) > (depths[$1.id] ?? 0, $1.id) }
        let removed = Set(try removal.remove(objects + unknown, cancellation: cancellation).map(\.id))
        for (id, index) in findings.damaged {
            report.problems[index].outcome =
                removed.contains(id) || !inventory.inUse.contains(id) ? .removed : .inUse
        }
        return report
    }
}
