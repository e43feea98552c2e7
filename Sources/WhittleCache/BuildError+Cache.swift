internal import WhittleCore

extension BuildError.Code {
    /// The database of cache records cannot be opened, read or written.
    static let cacheDatabase = Self(rawValue: "cache-database")
}

extension BuildError {
    static func cacheDatabase(_ path: String, _ error: SQLiteError) -> BuildError {
        BuildError(
            .cacheDatabase, "using the cache database '\(path)': \(error.message) (SQLite code \(error.code))",
            hint: "check that the store is on a local disk with free space and writable; "
                + "the database holds only what can be built again, so it may be deleted while no build runs")
    }
}
