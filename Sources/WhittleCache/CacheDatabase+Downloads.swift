package import WhittleCore

/// What a URL gave when it was last asked for.
package struct DownloadRecord: Hashable, Sendable {
    /// SHA-256 of the bytes; whether the store still has them is another question.
    package let content: Digest
    /// The header `ETag` as it came, or `nil`.
    package let entityTag: String?
    /// The header `Last-Modified` as it came, or `nil`.
    package let lastModified: String?

    package init(content: Digest, entityTag: String?, lastModified: String?) {
        self.content = content
        self.entityTag = entityTag
        self.lastModified = lastModified
    }
}

extension CacheDatabase {
    /// More URLs than these are not remembered; the one asked for longest ago goes first.
    private static let downloadLimit: Int64 = 4096

    /// What is known of a URL, or `nil`.
    ///
    /// - Parameter key: a digest that stands for the URL: what is in it may be secret.
    package func download(_ key: Digest) throws -> DownloadRecord? {
        let exists = try reading("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'downloads'", []) { _ in
            true
        }
        guard !exists.isEmpty else { return nil }
        let rows = try reading(
            "SELECT content, entity_tag, last_modified FROM downloads WHERE key = ?", [.blob(key.bytes)]
        ) { row -> DownloadRecord? in
            guard let content = Digest(sha256Bytes: row.blob(0)) else { return nil }
            return DownloadRecord(content: content, entityTag: row.text(1), lastModified: row.text(2))
        }
        return rows.first ?? nil
    }

    /// Remembers what a URL gave.
    package func save(_ record: DownloadRecord, forDownload key: Digest) throws {
        // Made when it is first needed: most builds download nothing.
        try writing([
            (
                """
                CREATE TABLE IF NOT EXISTS downloads (
                    key BLOB PRIMARY KEY, content BLOB NOT NULL, entity_tag TEXT, last_modified TEXT,
                    number INTEGER NOT NULL
                ) WITHOUT ROWID
                """, []
            ),
            (
                """
                INSERT OR REPLACE INTO downloads (key, content, entity_tag, last_modified, number)
                VALUES (?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM downloads))
                """,
                [
                    .blob(key.bytes), .blob(record.content.bytes), record.entityTag.map { .text($0) } ?? .null,
                    record.lastModified.map { .text($0) } ?? .null,
                ]
            ),
            (
                "DELETE FROM downloads WHERE number <= (SELECT max(number) FROM downloads) - ?",
                [.integer(Self.downloadLimit)]
            ),
        ])
    }
}
