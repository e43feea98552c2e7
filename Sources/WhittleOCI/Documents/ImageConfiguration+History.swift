extension ImageConfiguration {
    /// Makes the history say as much as there are layers: as many entries that made a layer as ``diffIDs``.
    ///
    /// Tools that read both in step (docker, dive) need that; images made by importing a tar archive, by squashing or
    /// by leaving out history do not have it. Missing entries are added at the end, without a command. Of entries too
    /// many, the newest are marked as having made no layer. To be called on a base image, before a build adds entries
    /// of its own; on a consistent configuration it changes nothing.
    public mutating func completeHistory() {
        var layers = 0
        for index in history.indices where !history[index].isEmptyLayer {
            if layers < diffIDs.count { layers += 1 } else { history[index].isEmptyLayer = true }
        }
        for _ in layers..<diffIDs.count {
            history.append(HistoryEntry(created: created, comment: "layer without history"))
        }
    }
}
