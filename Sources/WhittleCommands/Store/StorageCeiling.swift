internal import WhittleCore
internal import WhittleGraph
internal import WhittleMaintenance

/// What `whittle build --keep-storage` does after the build.
struct StorageCeiling {
    let root: String
    let limit: ByteCount

    /// Removes what was used least recently until the store is small enough. A failure is a warning: the build has
    /// succeeded.
    func keep(_ report: (StepEvent) -> Void) async {
        let step = Step(internal: "keeping the store below \(limit)")
        report(.started(step))
        do {
            let collection = try await Collector(storeAt: root).collect(.ceiling(limit))
            if !collection.removed.isEmpty {
                let name = "removed \(collection.removed.count) objects, \(collection.reclaimed)"
                report(.progress(step, StepProgress(name: name, current: .zero, total: nil, isDone: true)))
            }
            report(.finished(step))
            if let excess = collection.excess {
                report(.warning(BuildWarning(CollectionText.excess(excess, remaining: collection.remaining))))
            }
        } catch {
            report(.failed(step, message: (error as? BuildError)?.message ?? "\(error)"))
        }
    }
}

extension BuildCacheOptions {
    /// The limit that the option or the environment sets.
    ///
    /// - Throws: `invalid-argument`.
    func storageLimit() throws(BuildError) -> ByteCount? {
        try Self.size(keepStorage, "--keep-storage", or: "WHITTLE_KEEP_STORAGE")
    }

    /// What a layer may unpack to.
    ///
    /// - Throws: `invalid-argument`.
    func layerLimit() throws(BuildError) -> ByteCount? {
        try Self.size(maxLayerSize, "--max-layer-size", or: "WHITTLE_MAX_LAYER_SIZE")
    }

    /// The size that an option or else a variable gives.
    static func size(
        _ value: String?, _ option: String, or variable: String
    ) throws(BuildError) -> ByteCount? {
        if let value { return try size(value, option) }
        guard let text = StoreOptions.variable(variable) else { return nil }
        return try size(text, "$" + variable)
    }

    /// Reads a size with a unit.
    static func size(_ text: String, _ option: String) throws(BuildError) -> ByteCount {
        guard let size = ByteCount(parsing: text) else {
            throw .invalidArgument(
                option, text, "it is no size", hint: "write a number and a unit, such as 20GB or 512m")
        }
        return size
    }
}
