internal import WhittleCore
internal import WhittleOCI

/// Fills in what of an image's history only the finished build knows.
enum History {
    /// Makes the entries of the last `count` layers empty ones, and adds an entry for the one that has all their files.
    static func squash(_ configuration: inout ImageConfiguration, count: Int) {
        var left = count
        for index in configuration.history.indices.reversed() where !configuration.history[index].isEmptyLayer {
            guard left > 0 else { break }
            configuration.history[index].isEmptyLayer = true
            left -= 1
        }
        configuration.history.append(
            HistoryEntry(createdBy: "SQUASH of \(count) layers", comment: "whittle --squash"))
    }

    /// Gives each new history entry its time, marks the steps that changed nothing as empty, and sets the image's time.
    ///
    /// An entry that stands for a layer has the time at which the layer was made, another one that of the entry before; so
    /// an image built again from the cache is the same image. Entries that have a time keep it.
    ///
    /// - Parameters:
    ///   - created: of each layer, lowest first, those of the base image included.
    ///   - isEmpty: for each layer, whether it has no entries and is left out.
    ///   - baseCount: how many layers are the base image's.
    ///   - epoch: the time of the image; entries that are later, those of the base image included, get it too.
    static func complete(
        _ configuration: inout ImageConfiguration, created: [Timestamp], isEmpty: [Bool], baseCount: Int,
        epoch: Timestamp?
    ) {
        defer {
            if let epoch {
                configuration.created = epoch
                for index in configuration.history.indices {
                    configuration.history[index].created = configuration.history[index].created.map { min($0, epoch) }
                }
            }
        }
        var layer = 0
        var last = configuration.history.first?.created ?? configuration.created ?? Timestamp(seconds: 0)
        for index in configuration.history.indices {
            var entry = configuration.history[index]
            if !entry.isEmptyLayer, layer < created.count {
                if layer >= baseCount {
                    if entry.created == nil { entry.created = created[layer] }
                    entry.isEmptyLayer = isEmpty[layer]
                }
                layer += 1
            }
            if entry.created == nil { entry.created = last }
            last = max(last, entry.created ?? last)
            configuration.history[index] = entry
        }
        if configuration.created == nil || configuration.history.count > 0 { configuration.created = last }
    }
}
