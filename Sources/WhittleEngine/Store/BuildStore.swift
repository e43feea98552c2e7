package import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
package import WhittleSnapshot
package import WhittleStore

/// A store as one process uses it.
package struct BuildStore: Sendable {
    package let layout: StoreLayout
    package let blobs: BlobStore
    package let names: ImageNames
    package let database: CacheDatabase
    package let scratch: ProcessScratch
    package let snapshots: OverlaySnapshotter

    /// Opens the store at `root`, making it where it is missing.
    ///
    /// - Throws: `store-unusable`, `store-version`, `cache-database`.
    package init(openingAt root: String) throws {
        layout = try StoreLayout(openingAt: root)
        names = ImageNames(layout)
        database = try CacheDatabase(path: layout.database)
        scratch = try ProcessScratch(in: layout)
        blobs = BlobStore(layout, leases: scratch.leases)
        snapshots = try OverlaySnapshotter(layout, scratch: scratch)
    }

    /// Ends the use: what is unfinished is removed.
    package func close() throws { try scratch.remove() }
}

extension BuildStore {
    /// Removes what processes that were killed have left in the store.
    package static func sweep(_ store: BuildStore) throws { try ProcessScratch.sweep(store.layout) }
}
