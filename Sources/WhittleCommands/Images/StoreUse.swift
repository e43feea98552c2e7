internal import WhittleStore

/// The store as a command for images uses it: what it looks at stays, and what it leaves unfinished goes.
struct StoreUse: Sendable {
    let layout: StoreLayout
    let names: ImageNames
    let scratch: ProcessScratch
    let blobs: BlobStore

    /// Opens the store at `root`, making it where it is missing.
    ///
    /// - Throws: `store-unusable`, `store-version`.
    init(_ root: String) throws {
        layout = try StoreLayout(openingAt: root)
        names = ImageNames(layout)
        scratch = try ProcessScratch(in: layout)
        blobs = BlobStore(layout, leases: scratch.leases)
    }

    /// Ends the use.
    func close() {
        // What stays is swept by the next command that can.
        try? scratch.remove()
    }
}
