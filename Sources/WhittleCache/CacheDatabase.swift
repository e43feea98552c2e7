internal import Glibc
package import WhittleCore

/// The memory of earlier builds: cache records, content digests and layer blobs, in one SQLite file.
///
/// Everything in it can be lost without harm: what it forgets is done again. It says nothing about whether a snapshot or
/// blob still exists; the reader looks. Safe to use from many threads and processes at once (WAL mode); every call is one
/// transaction, and after a crash of the process the database is as of the last finished call.
package final class CacheDatabase: Sendable {
    private let connection: SQLiteConnection

    /// Raised whenever a table's meaning changes; a database of another version is emptied.
    private static let version: Int64 = 2

    private static let schema = """
        CREATE TABLE IF NOT EXISTS records (
            key BLOB PRIMARY KEY, identity BLOB NOT NULL, snapshot TEXT, op BLOB NOT NULL, inputs BLOB NOT NULL,
            name TEXT NOT NULL, created INTEGER NOT NULL, latest_input INTEGER NOT NULL,
            duration INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS records_by_snapshot ON records (snapshot);
        CREATE TABLE IF NOT EXISTS contents (
            identity BLOB NOT NULL, selection BLOB NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (identity, selection)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS layers (
            snapshot TEXT NOT NULL, format TEXT NOT NULL, digest BLOB NOT NULL, diff_id BLOB NOT NULL,
            size INTEGER NOT NULL, uncompressed_size INTEGER NOT NULL, media_type TEXT NOT NULL,
            PRIMARY KEY (snapshot, format)
        ) WITHOUT ROWID;
        """

    /// Opens or creates the database at `path`. A file that is no database any more is put aside as `PATH.corrupt` and a
    /// new one is begun.
    ///
    /// - Throws: ``WhittleCore/BuildError`` with code `cache-database`.
    package init(path: String) throws {
        do {
            connection = try Self.open(path)
        } catch  where error.isCorruption {
            guard rename(path, path + ".corrupt") == 0 else { throw BuildError.cacheDatabase(path, error) }
            // Journals of the old file would be replayed into the new one. They may not exist.
            unlink(path + "-wal")
            unlink(path + "-shm")
            do { connection = try Self.open(path) } catch { throw BuildError.cacheDatabase(path, error) }
        } catch {
            throw BuildError.cacheDatabase(path, error)
        }
    }

    private static func open(_ path: String) throws(SQLiteError) -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path)
        let found = try connection.query("PRAGMA user_version") { $0.integer(0) }.first
        if found == version {
            // Journal mode is a property of the file; the rest belongs to the connection.
            try connection.execute(script: "PRAGMA synchronous = NORMAL")
            return connection
        }
        try connection.execute(script: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        let drops =
            found == 0
            ? ""
            : ["records", "contents", "layers", "steps", "manifests"].map { "DROP TABLE IF EXISTS \($0);" }.joined()
        try connection.execute(
            script: "BEGIN IMMEDIATE; \(drops) \(schema) \(stepSchema) PRAGMA user_version = \(version); COMMIT")
        return connection
    }
}

// MARK: - Cache records

extension CacheDatabase {
    private static let recordColumns = "key, identity, snapshot, op, inputs, name, created, latest_input, duration"

    /// The record of a cache key, or `nil`.
    package func record(for key: Digest) throws -> CacheRecord? {
        try reading("SELECT \(Self.recordColumns) FROM records WHERE key = ?", [.blob(key.bytes)], Self.record).first
            ?? nil
    }

    /// Keeps a record; an earlier one of the same key is replaced.
    package func save(_ record: CacheRecord) throws { try writing([saving(record)]) }

    /// The statement that keeps a record.
    func saving(_ record: CacheRecord) -> (String, [SQLiteValue]) {
        (
            "INSERT OR REPLACE INTO records (\(Self.recordColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .blob(record.key.bytes), .blob(record.identity.bytes), record.snapshot.map { .text($0) } ?? .null,
                .blob(record.op.bytes), .blob(record.inputs.flatMap(\.bytes)), .text(record.name),
                .integer(record.created.seconds), .integer(record.latestInput.seconds), .integer(record.duration),
            ]
        )
    }

    /// Forgets one record. Not an error where there is none.
    package func removeRecord(for key: Digest) throws {
        try writing("DELETE FROM records WHERE key = ?", [.blob(key.bytes)])
    }

    private static func record(_ row: borrowing SQLiteRow) -> CacheRecord? {
        let inputs = row.blob(4)
        guard let key = Digest(sha256Bytes: row.blob(0)), let identity = Digest(sha256Bytes: row.blob(1)),
            let op = Digest(sha256Bytes: row.blob(3)), inputs.count % 32 == 0
        else { return nil }
        return CacheRecord(
            key: key, identity: identity, snapshot: row.text(2), op: op,
            inputs: stride(from: 0, to: inputs.count, by: 32).compactMap { Digest(sha256Bytes: inputs[$0..<$0 + 32]) },
            name: row.text(5) ?? "", created: Timestamp(seconds: row.integer(6)),
            latestInput: Timestamp(seconds: row.integer(7)), duration: row.integer(8))
    }
}

// MARK: - Content digests and layers

extension CacheDatabase {
    /// The digest of what `selection` picks from the result known as `identity`, if it was ever computed.
    package func contentDigest(identity: Digest, selection: Digest) throws -> Digest? {
        try reading(
            "SELECT digest FROM contents WHERE identity = ? AND selection = ?",
            [.blob(identity.bytes), .blob(selection.bytes)]
        ) { Digest(sha256Bytes: $0.blob(0)) }.first ?? nil
    }

    /// Keeps a content digest.
    package func saveContentDigest(_ digest: Digest, identity: Digest, selection: Digest) throws {
        try writing(
            "INSERT OR REPLACE INTO contents (identity, selection, digest) VALUES (?, ?, ?)",
            [.blob(identity.bytes), .blob(selection.bytes), .blob(digest.bytes)])
    }

    /// The blob that holds a snapshot's own changes in `format`, if it was ever written.
    package func layer(of snapshot: String, format: String) throws -> LayerRecord? {
        try reading(
            """
            SELECT digest, diff_id, size, uncompressed_size, media_type FROM layers WHERE snapshot = ? AND format = ?
            """, [.text(snapshot), .text(format)]
        ) { row -> LayerRecord? in
            guard let digest = Digest(sha256Bytes: row.blob(0)), let diffID = Digest(sha256Bytes: row.blob(1)) else {
                return nil
            }
            return LayerRecord(
                digest: digest, diffID: diffID, size: ByteCount(row.integer(2)),
                uncompressedSize: ByteCount(row.integer(3)), mediaType: row.text(4) ?? "")
        }.first ?? nil
    }

    /// Keeps what a layer was written as.
    package func save(_ layer: LayerRecord, of snapshot: String, format: String) throws {
        try writing(
            """
            INSERT OR REPLACE INTO layers (snapshot, format, digest, diff_id, size, uncompressed_size, media_type)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(snapshot), .text(format), .blob(layer.digest.bytes), .blob(layer.diffID.bytes),
                .integer(layer.size.bytes), .integer(layer.uncompressedSize.bytes), .text(layer.mediaType),
            ])
    }

    func reading<Row: Sendable>(
        _ sql: String, _ values: [SQLiteValue], _ row: @Sendable (borrowing SQLiteRow) -> Row
    ) throws -> [Row] {
        do { return try connection.query(sql, values, row: row) } catch {
            throw BuildError.cacheDatabase(connection.path, error)
        }
    }

    func writing(_ sql: String, _ values: [SQLiteValue]) throws {
        try writing([(sql, values)])
    }

    /// Runs the statements as one transaction.
    func writing(_ statements: [(String, [SQLiteValue])]) throws {
        do { try connection.transaction(statements) } catch { throw BuildError.cacheDatabase(connection.path, error) }
    }
}
