package import WhittleCore

// What explanations are made of. Two tables, both bounded, so that they never need care:
//
// - `steps`: what went into the last runs of each step, ``versions`` of them for one place in a Dockerfile.
// - `manifests`: the files behind a content digest, each once, ``manifestBytes`` in all.
extension CacheDatabase {
    static let stepSchema = """
        CREATE TABLE IF NOT EXISTS steps (
            number INTEGER PRIMARY KEY AUTOINCREMENT, scope BLOB NOT NULL, stage TEXT NOT NULL, position INTEGER NOT NULL,
            key BLOB NOT NULL, instruction TEXT NOT NULL, fields TEXT NOT NULL, inputs TEXT NOT NULL,
            UNIQUE (scope, stage, position, key)
        );
        CREATE TABLE IF NOT EXISTS manifests (
            number INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,
            entries BLOB NOT NULL
        );
        """

    /// Runs of one step that are remembered.
    private static let versions: Int64 = 4
    /// Runs of all steps that are remembered; at some 2 kB each this is 40 MB.
    private static let stepLimit: Int64 = 20_000
    private static let manifestBytes: Int64 = 32 << 20

    /// Keeps the record of a step that ran, with what explains the next run: all of it or nothing.
    package func save(_ record: CacheRecord, explainedBy step: StepRecord, manifests: [Digest: FileManifest]) throws {
        var statements = [
            saving(record),
            (
                """
                INSERT OR REPLACE INTO steps (scope, stage, position, key, instruction, fields, inputs)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .blob(step.scope.bytes), .text(step.stage), .integer(Int64(step.position)), .blob(step.key.bytes),
                    .text(step.instruction), .text(step.encodedFields), .text(step.encodedInputs),
                ] as [SQLiteValue]
            ),
            (
                """
                DELETE FROM steps WHERE scope = ?1 AND stage = ?2 AND position = ?3 AND number NOT IN (
                    SELECT number FROM steps WHERE scope = ?1 AND stage = ?2 AND position = ?3
                    ORDER BY number DESC LIMIT ?4)
                """,
                [
                    .blob(step.scope.bytes), .text(step.stage), .integer(Int64(step.position)),
                    .integer(Self.versions),
                ]
            ),
            (
                "DELETE FROM steps WHERE number <= (SELECT max(number) FROM steps) - ?", [.integer(Self.stepLimit)]
            ),
        ]
        for (content, manifest) in manifests {
            let bytes = manifest.encoded
            statements.append(
                (
                    "INSERT OR IGNORE INTO manifests (content, size, entries) VALUES (?, ?, ?)",
                    [.blob(content.bytes), .integer(Int64(bytes.count)), .blob(bytes)]
                ))
        }
        if !manifests.isEmpty {
            statements.append(
                (
                    """
                    DELETE FROM manifests WHERE number IN (SELECT number FROM (
                        SELECT number, sum(size) OVER (ORDER BY number DESC) AS total FROM manifests) WHERE total > ?)
                    """, [.integer(Self.manifestBytes)]
                ))
        }
        try writing(statements)
    }

    /// The files behind a content digest, where they are remembered.
    package func manifest(of content: Digest) throws -> FileManifest? {
        try reading("SELECT entries FROM manifests WHERE content = ?", [.blob(content.bytes)]) {
            FileManifest(decoding: $0.blob(0))
        }.first ?? nil
    }

    /// Whether the files behind a content digest are remembered.
    package func hasManifest(of content: Digest) throws -> Bool {
        try !reading("SELECT 1 FROM manifests WHERE content = ?", [.blob(content.bytes)]) { _ in true }.isEmpty
    }

    /// The last run of the step that `step` is most likely another run of.
    ///
    /// That is one with the same instruction in the same stage, the nearest by position; else one that stood in the same
    /// position, unless its instruction is among `others`, which the Dockerfile still has elsewhere.
    ///
    /// - Returns: the run, and whether the stage has any runs on record.
    package func lastRun(of step: StepRecord, others: Set<String>) throws -> (run: StepRecord?, isStageKnown: Bool) {
        let place: [SQLiteValue] = [.blob(step.scope.bytes), .text(step.stage)]
        let columns = "key, position, instruction, fields, inputs"
        let same = try runs(
            of: step,
            """
            SELECT \(columns) FROM steps WHERE scope = ?1 AND stage = ?2 AND instruction = ?3
            ORDER BY abs(position - ?4), number DESC LIMIT 1
            """, place + [.text(step.instruction), .integer(Int64(step.position))])
        if let run = same.first { return (run, true) }
        let there = try runs(
            of: step,
            """
            SELECT \(columns) FROM steps WHERE scope = ?1 AND stage = ?2 AND position = ?3
            ORDER BY number DESC LIMIT 1
            """, place + [.integer(Int64(step.position))])
        if let run = there.first { return (others.contains(run.instruction) ? nil : run, true) }
        let known = try reading("SELECT 1 FROM steps WHERE scope = ?1 AND stage = ?2 LIMIT 1", place) { _ in true }
        return (nil, !known.isEmpty)
    }

    private func runs(of step: StepRecord, _ sql: String, _ values: [SQLiteValue]) throws -> [StepRecord] {
        try reading(sql, values) { row -> StepRecord? in
            guard let key = Digest(sha256Bytes: row.blob(0)),
                let fields = row.text(3).flatMap({ StepRecord.fields(decoding: $0) }),
                let inputs = row.text(4).flatMap({ StepRecord.inputs(decoding: $0) })
            else { return nil }
            return StepRecord(
                key: key, scope: step.scope, stage: step.stage, position: Int(row.integer(1)),
                instruction: row.text(2) ?? "", fields: fields, inputs: inputs)
        }.compactMap { $0 }
    }
}
