package import WhittleCore
package import WhittleSnapshot

/// Names one removable part of a store.
package enum ObjectID: Hashable, Sendable {
    case snapshot(SnapshotID)
    case blob(Digest)
    /// A directory of `RUN --mount=type=cache`: `HEX/NUMBER`, see the engine's `CacheMountStore`.
    case cacheMount(String)
    /// What is known of the files of a build context, by file name.
    case context(String)
    /// A git repository that was fetched, by the name of its directory.
    case repository(String)
    /// A file beside those of the layout that an accident left: a damaged database that was put aside.
    case leftover(String)
}

extension ObjectID: CustomStringConvertible, Comparable {
    /// As it is shown and asked for, unique in the store.
    package var description: String {
        switch self {
        case .snapshot(let id): id.rawValue
        case .blob(let digest): digest.description
        case .cacheMount(let name): "mount-" + name.map { $0 == "/" ? "-" : String($0) }.joined()
        case .context(let name): "context-" + name
        case .repository(let name): "git-" + name
        case .leftover(let name): name
        }
    }

    /// ``description``, with long digests cut to twelve digits.
    package var short: String {
        description.split(separator: "-", omittingEmptySubsequences: false).map { part in
            if part.hasPrefix("sha256:") { return String(part.dropFirst(7).prefix(12)) }
            return part.utf8.count == 64 ? String(part.prefix(12)) : String(part)
        }.joined(separator: "-")
    }

    package static func < (left: ObjectID, right: ObjectID) -> Bool { left.description < right.description }
}

/// What a part of a store is; the names are BuildKit's where it has one.
package struct ObjectType: RawRepresentable, Hashable, Sendable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    /// The result of a step, or an unpacked layer of a base image.
    package static let regular = ObjectType(rawValue: "regular")
    /// A layer as a blob.
    package static let layer = ObjectType(rawValue: "layer")
    /// A manifest, an index or a configuration; whatever else the store needs for itself.
    package static let `internal` = ObjectType(rawValue: "internal")
    package static let cacheMount = ObjectType(rawValue: "exec.cachemount")
    package static let localSource = ObjectType(rawValue: "source.local")
    package static let gitCheckout = ObjectType(rawValue: "source.git.checkout")

    package static let all: [ObjectType] = [.regular, .layer, .internal, .cacheMount, .localSource, .gitCheckout]
}

/// One removable part of a store.
package struct StoreObject: Hashable, Sendable {
    package var id: ObjectID
    package var type: ObjectType
    /// Disk space, as du(1) counts it.
    package var size: ByteCount
    package var created: Timestamp?
    package var lastUsed: Timestamp
    /// What it was made by, for a person.
    package var description: String
    /// What must be there for it to be of use.
    package var needs: [ObjectID]
    /// What is of no use without it, and goes with it unless something else keeps it.
    package var companions: [ObjectID]
    /// Whether no record leads to it, so that no build can find it.
    package var isForgotten: Bool

    package init(
        id: ObjectID, type: ObjectType, size: ByteCount, created: Timestamp? = nil, lastUsed: Timestamp,
        description: String = "", needs: [ObjectID] = [], companions: [ObjectID] = [], isForgotten: Bool = false
    ) {
        self.id = id
        self.type = type
        self.size = size
        self.created = created
        self.lastUsed = lastUsed
        self.description = description
        self.needs = needs
        self.companions = companions
        self.isForgotten = isForgotten
    }
}
