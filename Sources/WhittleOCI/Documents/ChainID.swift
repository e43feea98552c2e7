public import WhittleCore

/// Names a stack of layers by their contents: what results from applying them in order.
///
/// Definition: image-spec v1.1, `config.md`, "Layer ChainID".
public enum ChainID {
    /// The chainID of the stack whose layers, lowest first, are `diffIDs`; `nil` for no layers.
    public static func of(_ diffIDs: some Sequence<Digest>) -> Digest? {
        diffIDs.reduce(nil) { adding($1, to: $0) }
    }

    /// The chainIDs of every stack from the lowest layer alone to all of `diffIDs`.
    public static func each(of diffIDs: some Sequence<Digest>) -> [Digest] {
        var chain: Digest?
        return diffIDs.map { diffID in
            let next = adding(diffID, to: chain)
            chain = next
            return next
        }
    }

    /// The chainID of `chain` with one more layer on top; `chain` is `nil` for an empty stack.
    public static func adding(_ diffID: Digest, to chain: Digest?) -> Digest {
        guard let chain else { return diffID }
        return Digest(hashing: "\(chain) \(diffID)")
    }
}
