internal import CSQLite

/// An RPM database in SQLite, which Fedora and RHEL 9 have: a table `Packages` with a header in each row.
enum RPMSQLite {
    /// A header of the largest packages has some MiB.
    private static let blobLimit: CInt = 64 << 20
    /// Far more than reading a table takes; what a hostile schema asks for beyond it is refused.
    private static let stepLimit: CInt = 200_000

    static func findings(in bytes: [UInt8]) -> Findings {
        var bytes = bytes
        guard bytes.count >= 512, bytes.starts(with: "SQLite format 3\0".utf8) else {
            return .problem("it is no SQLite database")
        }
        // A database that was last written with a log beside it asks for that log, which is not there in memory.
        bytes[18] = 1
        bytes[19] = 1
        var connection: OpaquePointer?
        guard sqlite3_open_v2(":memory:", &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nil) == SQLITE_OK,
            let connection
        else { return .problem("SQLite has no memory") }
        defer { sqlite3_close_v2(connection) }
        sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, blobLimit)
        sqlite3_limit(connection, SQLITE_LIMIT_VDBE_OP, 100_000)
        let count = bytes.count
        return bytes.withUnsafeMutableBufferPointer { buffer in
            // SAFETY: the bytes outlive the connection's use of them below; read-only, so SQLite never frees or moves them.
            guard
                sqlite3_deserialize(
                    connection, "main", buffer.baseAddress, Int64(count), Int64(count),
                    UInt32(SQLITE_DESERIALIZE_READONLY)) == SQLITE_OK
            else { return message(connection) }
            let findings = read(connection)
            // An empty database in its place, so that nothing refers to the bytes when they go.
            sqlite3_deserialize(connection, "main", nil, 0, 0, UInt32(SQLITE_DESERIALIZE_READONLY))
            return findings
        }
    }

    private static func read(_ connection: OpaquePointer) -> Findings {
        var steps: CInt = 0
        return withUnsafeMutablePointer(to: &steps) { steps in
            sqlite3_progress_handler(
                connection, 1000,
                { context in
                    guard let steps = context?.assumingMemoryBound(to: CInt.self) else { return 1 }
                    steps.pointee += 1
                    return steps.pointee > RPMSQLite.stepLimit ? 1 : 0
                }, steps)
            defer { sqlite3_progress_handler(connection, 0, nil, nil) }
            sqlite3_exec(connection, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", nil, nil, nil)
            return readRows(connection)
        }
    }

    private static func readRows(_ connection: OpaquePointer) -> Findings {
        var statement: OpaquePointer?
        let text = "SELECT blob FROM Packages ORDER BY hnum"
        guard sqlite3_prepare_v2(connection, text, -1, &statement, nil) == SQLITE_OK else { return message(connection) }
        defer { sqlite3_finalize(statement) }
        var findings = Findings()
        var problems: [String] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                guard let blob = sqlite3_column_blob(statement, 0) else {
                    problems.append("a row has no header")
                    continue
                }
                let bytes = UnsafeRawBufferPointer(start: blob, count: Int(sqlite3_column_bytes(statement, 0)))
                let found = RPMHeader.findings(CollectionOfOne(Array(bytes)))
                findings.packages += found.packages
                problems += found.problems
            case SQLITE_DONE:
                findings.problems = Problems.few(problems)
                return findings
            default:
                findings.problems = Problems.few(problems) + message(connection).problems
                return findings
            }
        }
    }

    private static func message(_ connection: OpaquePointer) -> Findings {
        .problem("SQLite cannot read it: \(String(cString: sqlite3_errmsg(connection)))")
    }
}
