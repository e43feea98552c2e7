package import WhittleCore

/// A snapshot as the database knows it.
package struct RecordedSnapshot: Hashable, Sendable {
    /// The step that made it, as it was shown.
    package var name: String
    package var created: Timestamp
}

/// A measured size, and what tells whether it still holds.
package struct RecordedSize: Hashable, Sendable {
    /// Of the caller's choice: an inode, a time.
    package var stamp: Int64
    package var size: ByteCount

    package init(stamp: Int64, size: ByteCount) {
        self.stamp = stamp
        self.size = size
    }
}

// MARK: - What is there

extension CacheDatabase {
    /// The snapshots that cache records lead to.
    package func recordedSnapshots() throws -> [String: RecordedSnapshot] {
        let rows = try reading("SELECT snapshot, name, created FROM records WHERE snapshot IS NOT NULL") { row in
            (row.text(0) ?? "", RecordedSnapshot(name: row.text(1) ?? "", created: Timestamp(seconds: row.integer(2))))
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// The blobs that snapshots' own changes were written as, by the snapshot.
    ///
    /// - Returns: for each snapshot the layers in the formats of this program, and those as images had them (`original`).
    package func recordedLayers() throws -> [String: [(format: String, layer: LayerRecord)]] {
        let rows = try reading(
            "SELECT snapshot, format, digest, diff_id, size, uncompressed_size, media_type FROM layers"
        ) { row -> (String, String, LayerRecord)? in
            guard let digest = Digest(sha256Bytes: row.blob(2)), let diffID = Digest(sha256Bytes: row.blob(3)) else {
                return nil
            }
            let layer = LayerRecord(
                digest: digest, diffID: diffID, size: ByteCount(row.integer(4)),
                uncompressedSize: ByteCount(row.integer(5)), mediaType: row.text(6) ?? "")
            return (row.text(0) ?? "", row.text(1) ?? "", layer)
        }
        return Dictionary(grouping: rows.compactMap { $0 }, by: \.0).mapValues { $0.map { ($0.1, $0.2) } }
    }

    /// What SQLite finds wrong with the file and what this program finds wrong in its rows, one sentence each.
    package func problems() throws -> [String] {
        var problems = try reading("PRAGMA integrity_check(20)") { $0.text(0) ?? "" }.filter { $0 != "ok" }
        for (table, condition) in [
            ("records", "length(key) <> 32 OR length(identity) <> 32 OR length(op) <> 32 OR length(inputs) % 32 <> 0"),
            ("contents", "length(identity) <> 32 OR length(selection) <> 32 OR length(digest) <> 32"),
            ("layers", "length(digest) <> 32 OR length(diff_id) <> 32 OR size < 0"),
        ] {
            let count = try reading("SELECT count(*) FROM \(table) WHERE \(condition)") { $0.integer(0) }.first ?? 0
            if count > 0 { problems.append("\(count) rows of the table '\(table)' cannot be read") }
        }
        return problems
    }
}

// MARK: - Forgetting

extension CacheDatabase {
    /// Forgets all that leads to these snapshots, in one transaction.
    package func forget(snapshots: [String]) throws {
        guard !snapshots.isEmpty else { return }
        try transaction {
            for snapshot in snapshots {
                try writing("DELETE FROM records WHERE snapshot = ?", [.text(snapshot)])
                try writing("DELETE FROM layers WHERE snapshot = ?", [.text(snapshot)])
                if try hasSizes() { try writing("DELETE FROM sizes WHERE name = ?", [.text(snapshot)]) }
            }
        }
    }

    /// Forgets what lost its meaning: content digests of results that no record leads to. Those of images are taken
    /// anew when they are asked for.
    package func forgetUnusedContents() throws {
        try writing("DELETE FROM contents WHERE identity NOT IN (SELECT identity FROM records)", [])
    }

    /// Gives the space of deleted rows back to the file system, where it is worth it and nobody else is writing.
    package func compact() throws {
        let free = try reading("PRAGMA freelist_count") { $0.integer(0) }.first ?? 0
        let size = try reading("PRAGMA page_size") { $0.integer(0) }.first ?? 4096
        // Another process that uses the database makes both wait or fail; it is then done the next time.
        if free * size > 1 << 20 { try? writing("VACUUM", []) }
        // As above.
        _ = try? reading("PRAGMA wal_checkpoint(TRUNCATE)") { _ in }
    }
}

// MARK: - Sizes

extension CacheDatabase {
    /// The sizes that were measured, by name.
    package func recordedSizes() throws -> [String: RecordedSize] {
        guard try hasSizes() else { return [:] }
        let rows = try reading("SELECT name, stamp, size FROM sizes") { row in
            (row.text(0) ?? "", RecordedSize(stamp: row.integer(1), size: ByteCount(row.integer(2))))
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// Keeps sizes, in one transaction.
    package func save(_ sizes: [String: RecordedSize]) throws {
        guard !sizes.isEmpty else { return }
        try transaction {
            // Made when it is first needed: a build does without it.
            try writing(
                """
                CREATE TABLE IF NOT EXISTS sizes (
                    name TEXT PRIMARY KEY, stamp INTEGER NOT NULL, size INTEGER NOT NULL
                ) WITHOUT ROWID
                """, [])
            for (name, size) in sizes {
                try writing(
                    "INSERT OR REPLACE INTO sizes (name, stamp, size) VALUES (?, ?, ?)",
                    [.text(name), .integer(size.stamp), .integer(size.size.bytes)])
            }
        }
    }

    private func hasSizes() throws -> Bool {
        try reading("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sizes'") { _ in true }.first ?? false
    }

    /// To be used by one thread of a process at a time.
    private func transaction(_ body: () throws -> Void) throws {
        try writing("BEGIN IMMEDIATE", [])
        do {
            try body()
            try writing("COMMIT", [])
        } catch {
            // The error that matters is the one above; some errors have ended the transaction already.
            try? writing("ROLLBACK", [])
            throw error
        }
    }

    private func reading<Row: Sendable>(
        _ sql: String, _ row: @Sendable (borrowing SQLiteRow) -> Row
    ) throws -> [Row] {
        try reading(sql, [], row)
    }
}
