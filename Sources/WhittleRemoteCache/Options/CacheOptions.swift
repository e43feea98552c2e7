package import WhittleArchive
internal import WhittleCore

/// One `--cache-from`.
package struct CacheImport: Hashable, Sendable {
    package var place: CachePlace
    /// Which cache mounts are taken from it.
    package var mounts = MountChoice.none
    /// How long the build waits for what the cache says, and for a blob that does not move.
    package var timeout: Duration = CacheImport.standardTimeout

    /// Longer than any registry that works takes for a manifest and a configuration.
    package static let standardTimeout: Duration = .seconds(30)

    package init(place: CachePlace) { self.place = place }
}

/// One `--cache-to`.
package struct CacheExport: Hashable, Sendable {
    package var place: CachePlace
    package var mode = Mode.minimal
    /// Which cache mounts are put there.
    package var mounts = MountChoice.none
    /// `nil` for that of the image.
    package var compression: Compression?
    /// Layers that exist in another compression are written anew.
    package var forcesCompression = false
    package var manifestForm = CacheManifestForm.imageManifest
    /// How long a build waits for the cache to be written once all else is done; `nil` for a time that grows with the
    /// bytes.
    package var timeout: Duration?

    /// How much is exported.
    package enum Mode: String, Hashable, Sendable {
        /// The layers of what is built.
        case minimal = "min"
        /// The layers of all steps.
        case maximal = "max"
    }

    package init(place: CachePlace) { self.place = place }
}

/// Which directories of `RUN --mount=type=cache` travel with a cache.
package enum MountChoice: Hashable, Sendable {
    case none
    case all
    /// Those with these IDs.
    case some(Set<String>)

    /// Whether the mount with the ID is among them.
    package func includes(_ id: String) -> Bool {
        switch self {
        case .none: false
        case .all: true
        case .some(let identifiers): identifiers.contains(id)
        }
    }
}
