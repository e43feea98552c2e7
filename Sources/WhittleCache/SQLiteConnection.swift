internal import CSQLite
internal import Synchronization
internal import WhittleCore

/// One connection to an SQLite database; the only code that touches SQLite's C interface.
///
/// Safe to use from many threads: calls take turns. Statements are compiled once and kept.
final class SQLiteConnection: Sendable {
    private struct State: ~Copyable {
        // SAFETY of both pointers: used only while the mutex is held, closed once in deinit.
        var database: OpaquePointer?
        var statements: [String: OpaquePointer] = [:]

        deinit {
            for statement in statements.values { sqlite3_finalize(statement) }
            sqlite3_close_v2(database)
        }
    }

    private let state: Mutex<State>
    let path: String

    /// How long a statement waits for another process's write, in milliseconds. Writes are single rows, so a longer wait
    /// means a process that hangs.
    private static let patience: Int32 = 20_000

    /// Opens or creates the database at `path`.
    init(path: String) throws(SQLiteError) {
        self.path = path
        var state = State()
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &state.database, flags, nil)
        guard code == SQLITE_OK else { throw SQLiteError(state.database, code: code, doing: "opening the database") }
        sqlite3_busy_timeout(state.database, Self.patience)
        // The journal stays, emptied, when the last connection closes: making and removing its two files costs a process
        // that only looks something up more than all its queries.
        var isPersistent: CInt = 1
        sqlite3_file_control(state.database, "main", SQLITE_FCNTL_PERSIST_WAL, &isPersistent)
        self.state = Mutex(state)
    }

    /// Runs statements that take no values and give no rows.
    func execute(script: String) throws(SQLiteError) {
        let failure: SQLiteError? = state.withLock { state in
            let code = sqlite3_exec(state.database, script, nil, nil, nil)
            return code == SQLITE_OK ? nil : SQLiteError(state.database, code: code, doing: script)
        }
        if let failure { throw failure }
    }

    /// Runs one statement and maps its rows, in the order SQLite gives them.
    @discardableResult
    func query<Row: Sendable>(
        _ sql: String, _ values: [SQLiteValue] = [], row: @Sendable (borrowing SQLiteRow) -> Row
    ) throws(SQLiteError) -> [Row] {
        let result: Result<[Row], SQLiteError> = state.withLock { state in
            Self.run(sql, values, in: &state, row: row)
        }
        return try result.get()
    }

    /// Runs one statement that gives no rows.
    func execute(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteError) {
        try query(sql, values) { _ in }
    }

    /// Runs statements that give no rows, all of them or none.
    func transaction(_ statements: [(sql: String, values: [SQLiteValue])]) throws(SQLiteError) {
        if statements.count == 1 { return try execute(statements[0].sql, statements[0].values) }
        let failure: SQLiteError? = state.withLock { state in
            for (sql, values) in [("BEGIN IMMEDIATE", [])] + statements + [("COMMIT", [])] {
                guard case .failure(let error) = Self.run(sql, values, in: &state, row: { _ in }) else { continue }
                // The error that led here is the one to tell.
                _ = Self.run("ROLLBACK", [], in: &state) { _ in }
                return error
            }
            return nil
        }
        if let failure { throw failure }
    }

    private static func run<Row>(
        _ sql: String, _ values: [SQLiteValue], in state: inout State, row: @Sendable (borrowing SQLiteRow) -> Row
    ) -> Result<[Row], SQLiteError> {
        var statement = state.statements[sql]
        if statement == nil {
            let code = sqlite3_prepare_v3(
                state.database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
            guard code == SQLITE_OK else { return .failure(SQLiteError(state.database, code: code, doing: sql)) }
            state.statements[sql] = statement
        }
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() { value.bind(to: statement, at: Int32(index + 1)) }
        var rows: [Row] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                rows.append(row(SQLiteRow(statement: statement)))
            case SQLITE_DONE:
                return .success(rows)
            case let code:
                return .failure(SQLiteError(state.database, code: code, doing: sql))
            }
        }
    }
}

/// A value for a statement's parameter.
enum SQLiteValue {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    fileprivate func bind(to statement: OpaquePointer?, at index: Int32) {
        // SAFETY: SQLITE_TRANSIENT is the number -1 in the place of a function that is never called; SQLite copies the
        // bytes before the call returns.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch self {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let value): sqlite3_bind_int64(statement, index, value)
        case .text(let value): sqlite3_bind_text(statement, index, value, -1, transient)
        case .blob(let value):
            _ = value.withUnsafeBytes {
                sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), transient)
            }
        }
    }
}

/// The current row of a statement; valid only while the mapping closure runs. Columns are counted from 0.
struct SQLiteRow: ~Copyable {
    fileprivate let statement: OpaquePointer?

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    /// `nil` for NULL.
    func text(_ column: Int32) -> String? {
        sqlite3_column_text(statement, column).map { String(cString: $0) }
    }

    /// Empty for NULL.
    func blob(_ column: Int32) -> [UInt8] {
        let count = Int(sqlite3_column_bytes(statement, column))
        guard let base = sqlite3_column_blob(statement, column), count > 0 else { return [] }
        return Array(UnsafeRawBufferPointer(start: base, count: count))
    }
}

/// What SQLite refused, with its own words.
struct SQLiteError: Error, CustomStringConvertible {
    let code: Int32
    let message: String
    let operation: String

    fileprivate init(_ database: OpaquePointer?, code: Int32, doing operation: String) {
        self.code = code
        message = String(cString: database == nil ? sqlite3_errstr(code) : sqlite3_errmsg(database))
        self.operation = operation
    }

    /// Whether the file is not a usable database, as opposed to one that cannot be reached now.
    var isCorruption: Bool {
        let primary = code & 0xff
        return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB
    }

    var description: String { "SQLite: \(message) (code \(code))" }
}
