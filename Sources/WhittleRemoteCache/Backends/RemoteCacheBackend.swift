package import WhittleCore
package import WhittleHTTP
package import WhittleOCI

/// A place that keeps caches: a registry, a directory, a service.
///
/// It moves bytes and knows nothing of builds. Import: ``load()``, then ``read(_:into:)`` for the layers that are needed,
/// from several tasks at once. Export: ``existing(among:)``, ``write(_:)`` for what is missing, also from several tasks
/// at once and while the build runs, and ``save(_:)`` once all that the document names has been written.
///
/// Every call ends soon after its task is cancelled, and every error is a `BuildError` that names the place: whoever
/// calls makes a warning of it, sets the deadlines, and goes on without the cache. So a backend tries a call again where
/// that may help (a cut connection, 429, 5xx), and otherwise fails at once. It never gives bytes that were not verified, and
/// shows no token.
package protocol RemoteCacheBackend: Sendable {
    /// What messages call it: `the registry cache 'REF'`. A warning reads `reading NAME: …`.
    var name: String { get }

    /// What is in the cache; several documents where the place keeps several that count (the scopes of a branch and of its
    /// base, the platforms of an index). Best first: of two results for one key the first is taken.
    ///
    /// - Throws: `cache-not-found` where nothing was ever saved, which is normal for a first build; `malformed-cache`;
    ///   and what concerns the place.
    func load() async throws -> [CacheDocument]

    /// Streams a blob into `sink`.
    ///
    /// The digest is known only after the last byte: what the sink made of the bytes must not be used where this throws.
    ///
    /// - Parameter sink: sees each byte once, in order; its error ends the transfer and is rethrown.
    /// - Throws: `digest-mismatch` for other bytes or another size, `cache-not-found` where the blob has gone.
    func read(_ descriptor: Descriptor, into sink: @escaping ByteSink) async throws

    /// The digests of those of `descriptors` that need not be written, because the place has them. A place that cannot
    /// tell, or where it costs as much as writing, gives none, and ``write(_:)`` finds out.
    func existing(among descriptors: [Descriptor]) async throws -> Set<Digest>

    /// Brings a blob there. One that is there already is no error.
    func write(_ blob: CacheBlob) async throws

    /// Puts a document in the place of the one that ``load()`` gave, all at once. All its blobs have been written.
    func save(_ document: CacheDocument) async throws
}
