internal import WhittleCore
internal import WhittlePackages

/// What the files of an image's layers say of packages, collected while they stream by.
///
/// By the digest of their contents: which of them the image has in the end, and under which names, only the finished tree
/// knows.
// SAFETY: one transfer feeds it, one call after the other; `list` comes after the last.
final class PackageEvidence: @unchecked Sendable {
    private struct Key: Hashable {
        let content: Digest
        let kind: EvidenceKind
    }

    private var findings: [Key: Findings] = [:]
    private var open: (kind: EvidenceKind, reader: EvidenceReader)?

    /// A file begins.
    func begin(_ path: LayerPathText) {
        let kind = EvidenceKind(ofFileAt: path)
        open = (kind, EvidenceReader(kind, path: path))
    }

    func take(_ bytes: UnsafeRawBufferPointer) { open?.reader.take(bytes) }

    /// The file that began last is over.
    func end(_ content: Digest) {
        guard let (kind, reader) = open else { return }
        open = nil
        let found = reader.finish()
        if !found.isEmpty { findings[Key(content: content, kind: kind)] = found }
    }

    /// The packages of what is in `tree`.
    func list(of tree: FileTree) -> PackageList {
        PackageList(
            tree.items.compactMap { item in
                guard let content = item.entry.content else { return nil }
                let path = String(decoding: item.path, as: UTF8.self)
                let kind = EvidenceKind(ofFileAt: path)
                return findings[Key(content: content, kind: kind)].map { (path, kind, $0) }
            })
    }
}

/// A path from the root without a leading slash; what is no UTF-8 in it is replaced.
typealias LayerPathText = String
