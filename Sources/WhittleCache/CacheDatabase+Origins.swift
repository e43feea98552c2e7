package import WhittleCore

/// A repository in which a blob was seen.
package struct OriginRecord: Hashable, Sendable {
    package let registry: String
    package let repository: String

    package init(registry: String, repository: String) {
        self.registry = registry
        self.repository = repository
    }
}

extension CacheDatabase {
    /// More places than these are not remembered; the one noted longest ago goes first.
    private static let originLimit: Int64 = 32_768
    /// The places of one blob that are told.
    private static let originsOfOne = 8

    /// Where blobs were seen, latest first.
    package func origins(of blobs: [Digest]) throws -> [Digest: [OriginRecord]] {
        let exists = try reading("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'origins'", []) { _ in
            true
        }
        guard !exists.isEmpty else { return [:] }
        var found: [Digest: [OriginRecord]] = [:]
        for blob in Set(blobs) {
            let rows = try reading(
                "SELECT registry, repository FROM origins WHERE blob = ? ORDER BY number DESC LIMIT \(Self.originsOfOne)",
                [.blob(blob.bytes)]
            ) { OriginRecord(registry: $0.text(0) ?? "", repository: $0.text(1) ?? "") }
            if !rows.isEmpty { found[blob] = rows }
        }
        return found
    }

    /// Notes that blobs are in a repository.
    package func note(_ blobs: [Digest], in origin: OriginRecord) throws {
        guard !blobs.isEmpty else { return }
        // Made when it is first needed.
        var statements: [(String, [SQLiteValue])] = [
            (
                """
                CREATE TABLE IF NOT EXISTS origins (
                    blob BLOB NOT NULL, registry TEXT NOT NULL, repository TEXT NOT NULL, number INTEGER NOT NULL,
                    PRIMARY KEY (blob, registry, repository)
                ) WITHOUT ROWID
                """, []
            ), ("CREATE INDEX IF NOT EXISTS origins_by_number ON origins (number)", []),
        ]
        for blob in blobs {
            statements.append(
                (
                    """
                    INSERT OR REPLACE INTO origins (blob, registry, repository, number)
                    VALUES (?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM origins))
                    """, [.blob(blob.bytes), .text(origin.registry), .text(origin.repository)]
                ))
        }
        statements.append(
            (
                "DELETE FROM origins WHERE number <= (SELECT max(number) FROM origins) - ?",
                [.integer(Self.originLimit)]
            ))
        try writing(statements)
    }
}
