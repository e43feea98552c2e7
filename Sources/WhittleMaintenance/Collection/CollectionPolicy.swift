package import WhittleCore

/// What a collection is asked to remove. Whatever it says, what running builds use and what named images consist of stays.
package struct CollectionPolicy: Sendable {
    /// Also what named images were made from: without it, such an image is built from the start the next time.
    package var includesShared: Bool
    /// Only what passes all of these.
    package var filters: [ObjectFilter]
    /// Only these, where there is such a list.
    package var candidates: Set<ObjectID>?
    /// Stop as soon as the store is no larger than this. `nil` removes everything that may be removed.
    package var limit: ByteCount?
    /// Say what would be removed, and remove nothing.
    package var isDryRun: Bool

    package init(
        includesShared: Bool = false, filters: [ObjectFilter] = [], candidates: Set<ObjectID>? = nil,
        limit: ByteCount? = nil, isDryRun: Bool = false
    ) {
        self.includesShared = includesShared
        self.filters = filters
        self.candidates = candidates
        self.limit = limit
        self.isDryRun = isDryRun
    }

    /// Keeps the store no larger than `limit`.
    package static func ceiling(_ limit: ByteCount) -> CollectionPolicy {
        CollectionPolicy(includesShared: true, limit: limit)
    }
}
