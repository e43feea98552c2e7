internal import WhittleCore
internal import WhittleMaintenance

/// What `whittle prune` says.
enum CollectionText {
    /// The list of what was removed, as docker prints it, and the total.
    static func removed(_ report: CollectionReport, isDryRun: Bool) -> String {
        var text = ""
        if !report.removed.isEmpty {
            text += isDryRun ? "Would delete build cache objects:\n" : "Deleted build cache objects:\n"
            text += report.removed.map { "\($0.id)\n" }.joined() + "\n"
        }
        return text + "Total \(isDryRun ? "reclaimable" : "reclaimed") space: \(report.reclaimed)\n"
    }

    /// Why the store is larger than it should be.
    static func excess(_ excess: CollectionReport.Excess, remaining: ByteCount) -> String {
        var reasons: [String] = []
        if excess.named > .zero { reasons.append("\(excess.named) belong to named images") }
        if excess.inUse > .zero { reasons.append("\(excess.inUse) are in use by running builds") }
        if reasons.isEmpty { reasons.append("the rest is the store itself, or was kept by a filter") }
        return "the store is larger than \(excess.limit): \(remaining) remain, of which "
            + reasons.joined(separator: " and ")
    }

    /// The question before a removal, in docker's words.
    static func warning(includesShared: Bool, filters: [String], limit: String?) -> String {
        var text = "WARNING! This will remove "
        text += includesShared ? "all build cache that is not in use." : "all build cache that no named image needs."
        if let limit { text = "WARNING! This will remove build cache until the store is no larger than \(limit)." }
        if !filters.isEmpty {
            text += "\n\n  Items to be removed will be filtered with:\n"
            text += filters.map { "  - \($0)\n" }.joined()
        }
        return text + "\nAre you sure you want to continue? [y/N] "
    }
}
