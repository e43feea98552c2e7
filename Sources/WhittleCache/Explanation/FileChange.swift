internal import WhittleCore

/// How a path differs between two manifests.
package enum FileChange: Hashable, Sendable {
    case added(String)
    case removed(String)
    case changed(String)
    /// Only the permissions differ; the modes are the permission bits.
    case mode(String, from: UInt16, to: UInt16)
    case renamed(String, to: String)

    /// A sentence about it: `src/app.js changed`, `run.sh: mode 0644 → 0755`.
    package var text: String {
        switch self {
        case .added(let path): "\(path) added"
        case .removed(let path): "\(path) removed"
        case .changed(let path): "\(path) changed"
        case .mode(let path, let old, let new): "\(path): mode \(Self.octal(old)) → \(Self.octal(new))"
        case .renamed(let path, let new): "\(path) renamed to \(new)"
        }
    }

    private static func octal(_ mode: UInt16) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension FileManifest {
    /// What is different in `new`, in the order of the paths. What is in a directory that is new, or gone, is not named.
    package func changes(to new: FileManifest) -> [FileChange] {
        // Paths that one of the two was cut to are all that can be compared.
        let depths = [depth, new.depth].filter { $0 != 0 }
        let common: UInt8 = depths.min() ?? 0
        let old = cut(toAtMost: common).entries
        let new = new.cut(toAtMost: common).entries
        var finder = ChangeFinder()
        var (left, right) = (0, 0)
        while left < old.count || right < new.count {
            if right == new.count || (left < old.count && old[left].path.lexicographicallyPrecedes(new[right].path)) {
                finder.remove(old[left])
                left += 1
            } else if left == old.count || new[right].path.lexicographicallyPrecedes(old[left].path) {
                finder.add(new[right])
                right += 1
            } else {
                finder.compare(old[left], new[right])
                left += 1
                right += 1
            }
        }
        return finder.changes
    }
}

/// Collects changes while two manifests are gone through.
private struct ChangeFinder {
    private(set) var changes: [FileChange] = []
    /// Positions in ``changes`` of files that are gone, by what they were.
    private var removed: [Content: Int] = [:]
    private var added: [Content: Int] = [:]
    private var addedDirectory: [UInt8]?
    private var removedDirectory: [UInt8]?

    private struct Content: Hashable {
        let mode: UInt16
        let fingerprint: UInt64
    }

    mutating func add(_ entry: FileManifest.Entry) {
        if let addedDirectory, entry.path.starts(with: addedDirectory) { return }
        addedDirectory = Self.isDirectory(entry) ? entry.path + [UInt8(ascii: "/")] : nil
        if let position = removed.removeValue(forKey: Self.content(entry)), !Self.isDirectory(entry),
            case .removed(let path) = changes[position]
        {
            changes[position] = .renamed(path, to: Self.shown(entry))
            return
        }
        added[Self.content(entry)] = changes.count
        changes.append(.added(Self.shown(entry)))
    }

    mutating func remove(_ entry: FileManifest.Entry) {
        if let removedDirectory, entry.path.starts(with: removedDirectory) { return }
        removedDirectory = Self.isDirectory(entry) ? entry.path + [UInt8(ascii: "/")] : nil
        if let position = added.removeValue(forKey: Self.content(entry)), !Self.isDirectory(entry),
            case .added(let path) = changes[position]
        {
            changes[position] = .renamed(Self.shown(entry), to: path)
            return
        }
        removed[Self.content(entry)] = changes.count
        changes.append(.removed(Self.shown(entry)))
    }

    mutating func compare(_ old: FileManifest.Entry, _ new: FileManifest.Entry) {
        guard old != new else { return }
        let isOnlyMode = old.fingerprint == new.fingerprint && (old.mode ^ new.mode) & 0o170000 == 0
        changes.append(
            isOnlyMode
                ? .mode(Self.shown(new), from: old.mode & 0o7777, to: new.mode & 0o7777) : .changed(Self.shown(new)))
    }

    private static func content(_ entry: FileManifest.Entry) -> Content {
        Content(mode: entry.mode, fingerprint: entry.fingerprint)
    }

    private static func isDirectory(_ entry: FileManifest.Entry) -> Bool { entry.mode & 0o170000 == 0o040000 }

    /// The path for a line of text; a directory with a slash behind it.
    private static func shown(_ entry: FileManifest.Entry) -> String {
        let text = String(decoding: entry.path, as: UTF8.self) + (isDirectory(entry) ? "/" : "")
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }
}
