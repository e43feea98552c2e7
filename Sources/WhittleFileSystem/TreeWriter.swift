internal import Synchronization
internal import SystemPackage
internal import WhittleCore

/// Writes one item of a ``CopyPlan``.
///
/// In four passes: directories from the top, then files side by side, then further names of hard-linked files, then the
/// metadata of directories from the bottom (their times change while they are filled, and their mode may forbid that).
final class TreeWriter: Sendable {
    let plan: CopyPlan
    let item: CopyPlan.Item
    let cancellation: Cancellation?
    private let total = Mutex(TreeCopier.Outcome())

    init(_ plan: CopyPlan, _ item: CopyPlan.Item, _ cancellation: Cancellation?) {
        self.plan = plan
        self.item = item
        self.cancellation = cancellation
    }

    var outcome: TreeCopier.Outcome { total.withLock { $0 } }

    func write(to target: CopyTarget, in parent: FileDescriptor) throws {
        guard item.isDirectory else { return try writeFile(to: target, in: parent) }
        guard let name = target.name else { return try merge(into: parent, target.path, isNew: false) }
        if let status = target.status, !status.isDirectory {
            throw BuildError.directoryOntoFile(item.path, target.path)
        }
        let isNew = target.status == nil
        let opened = try describing("create directory", target.path) { () throws(Errno) -> OwnedDescriptor in
            try name.withCString { (name) throws(Errno) in
                if isNew { try Syscall.makeDirectory(name, mode: 0o700, at: parent) }
                return try Syscall.open(name, [.readOnly, .directory, .noFollow], at: parent)
            }
        }
        try opened.withDescriptor { try merge(into: $0, target.path, isNew: isNew) }
    }

    /// A source that is no directory.
    private func writeFile(to target: CopyTarget, in parent: FileDescriptor) throws {
        guard let position = item.entry.position, let name = target.name else {
            throw BuildError.fileOntoDirectory(item.path, target.path)
        }
        let source = try plan.tree.openDirectory(position.directory.path)
        try source.withDescriptor { source in
            var writer = try EntryWriter(self, from: source, position.directory, to: parent, target.directoryPath)
            defer { writer.finish() }
            try writer.write(position.index, as: name)
            count(writer.outcome)
        }
    }

    private func merge(into top: FileDescriptor, _ path: String, isNew: Bool) throws {
        let place = Place(top: top, path: path)
        let before = try Syscall.status(top)
        let existing = try makeDirectories(in: place)
        let links = HardLinks(item.selection)
        let units = self.units(leavingOut: links)
        try BlockingPool.shared.forEach(below: units.count, threads: 2) { index in
            try self.writeUnit(units[index], in: place)
        }
        for group in links.groups { try writeLinks(group, in: place) }
        try finishDirectories(existing, in: place)
        try finishTop(place, isNew: isNew, before: before)
    }

    /// An open directory of the destination, and its path for messages.
    struct Place: Sendable {
        let top: FileDescriptor
        let path: String

        func open(_ relative: EntryPath) throws(BuildError) -> OwnedDescriptor {
            do throws(Errno) {
                return try DescriptorPath.openDirectory(relative, at: top)
            } catch {
                throw BuildError.fileSystem("open directory", shown(relative), error)
            }
        }

        func shown(_ relative: EntryPath) -> String {
            relative.isEmpty ? path : path == "/" ? "/\(relative)" : "\(path)/\(relative)"
        }
    }

    func count(_ written: TreeCopier.Outcome) {
        total.withLock {
            $0.entries += written.entries
            $0.bytes += written.bytes
        }
    }
}

// MARK: Directories
extension TreeWriter {
    /// Makes every directory of the selection; gives the paths of those that were there before.
    private func makeDirectories(in place: Place) throws -> Set<EntryPath> {
        var existing: Set<EntryPath> = []
        for selected in item.selection {
            try cancellation?.check()
            let directories = selected.entries.filter { selected.status($0).isDirectory }
            if directories.isEmpty { continue }
            let opened = try place.open(selected.path)
            try opened.withDescriptor { (descriptor) throws(BuildError) in
                for entry in directories {
                    let path = selected.path.appending(selected.name(entry))
                    if try !makeDirectory(selected.name(entry), at: descriptor, path, place) { existing.insert(path) }
                }
            }
        }
        return existing
    }

    /// `false` where there is one.
    private func makeDirectory(
        _ name: EntryPath, at parent: FileDescriptor, _ path: EntryPath, _ place: Place
    ) throws(BuildError) -> Bool {
        do throws(Errno) {
            return try name.withCString { (name) throws(Errno) -> Bool in
                do throws(Errno) {
                    try Syscall.makeDirectory(name, mode: 0o700, at: parent)
                    return true
                } catch {
                    guard error == .fileExists else { throw error }
                    guard try Syscall.status(name, at: parent).isDirectory else { throw .notDirectory }
                    return false
                }
            }
        } catch {
            if error == .notDirectory { throw BuildError.directoryOntoFile(sourcePath(path), place.shown(path)) }
            throw BuildError.fileSystem("create directory", place.shown(path), error)
        }
    }

    func sourcePath(_ path: EntryPath) -> String {
        item.path.isEmpty ? "\(path)" : "\(item.path)/\(path)"
    }

    /// Gives directories their metadata, from the bottom. Opening each by path needs those above it to be open to us.
    private func finishDirectories(_ existing: Set<EntryPath>, in place: Place) throws {
        for selected in item.selection.reversed() {
            let directories = selected.entries.filter { selected.status($0).isDirectory }
            if directories.isEmpty { continue }
            try cancellation?.check()
            let source = try plan.tree.openDirectory(selected.directory.path)
            try source.withDescriptor { source in
                for entry in directories.reversed() {
                    let path = selected.path.appending(selected.name(entry))
                    // One that only comes along does not change what is there.
                    if entry.isParentOnly, existing.contains(path) { continue }
                    let opened = try place.open(path)
                    try opened.withDescriptor { descriptor in
                        try setMetadata(
                            of: descriptor, selected.status(entry), (selected.name(entry), source), place.shown(path))
                    }
                    count(TreeCopier.Outcome(entries: 1))
                }
            }
        }
    }

    private func finishTop(_ place: Place, isNew: Bool, before: FileStatus) throws {
        guard isNew else {
            let time = plan.clamped(before.modified)
            return try describing("set times of", place.path) { () throws(Errno) in
                try Syscall.changeTimes(place.top, to: time)
            }
        }
        count(TreeCopier.Outcome(entries: 1))
        guard let position = item.entry.position else { return try finishContents(place, nil) }
        let status = position.directory.listing.entries[position.index].status
        if plan.request.copiesDirectoryContents { return try finishContents(place, status) }
        let source = try plan.tree.openDirectory(position.directory.path)
        try source.withDescriptor { source in
            try setMetadata(
                of: place.top, status, (position.directory.listing.name(position.index), source), place.path)
        }
    }

    /// A destination that did not exist, made for the contents of a directory, is like one that was made on the way: with
    /// mode 0755 whatever the copied directory has. Only the time is that one's.
    ///
    /// - Parameter status: that of the copied directory; `nil` for the root of a tree.
    private func finishContents(_ place: Place, _ status: FileStatus?) throws {
        try describing("set metadata of", place.path) { () throws(Errno) in
            try Syscall.changeOwner(place.top, to: plan.request.owner ?? .root)
            try Syscall.changeMode(place.top, to: plan.request.newDirectoryMode)
            guard let time = status.map({ plan.timeOfCopy($0.modified) }) ?? plan.request.latestTime else { return }
            try Syscall.changeTimes(place.top, to: time)
        }
    }

    private func setMetadata(
        of directory: FileDescriptor, _ status: FileStatus, _ source: (name: EntryPath, directory: FileDescriptor),
        _ path: String
    ) throws(BuildError) {
        try describing("set metadata of", path) { () throws(Errno) in
            try Syscall.changeOwner(directory, to: plan.request.owner ?? plan.tree.owner(of: status))
            for attribute in try CopiedAttributes.list(source.name, at: source.directory, plan.tree.kind) {
                try ExtendedAttributes.setIfPossible(attribute, on: directory)
            }
            try Syscall.changeMode(directory, to: plan.request.mode(of: status))
            try Syscall.changeTimes(directory, to: plan.timeOfCopy(status.modified))
        }
    }
}

// MARK: Files
extension TreeWriter {
    /// A stretch of entries of one directory, none of which is a directory.
    private struct Unit: Sendable {
        let selected: SelectedDirectory
        let entries: [Int]
    }

    private static let unitSize = 256

    private func units(leavingOut links: HardLinks) -> [Unit] {
        var units: [Unit] = []
        for selected in item.selection {
            var entries: [Int] = []
            for entry in selected.entries {
                let status = selected.status(entry)
                if status.isDirectory || links.contains(status) { continue }
                entries.append(entry.index)
            }
            for start in stride(from: 0, to: entries.count, by: Self.unitSize) {
                let end = min(start + Self.unitSize, entries.count)
                units.append(Unit(selected: selected, entries: Array(entries[start..<end])))
            }
        }
        return units
    }

    private func writeUnit(_ unit: Unit, in place: Place) throws {
        let target = try place.open(unit.selected.path)
        let source = try plan.tree.openDirectory(unit.selected.directory.path)
        try source.withDescriptor { source in
            try target.withDescriptor { target in
                var writer = try EntryWriter(
                    self, from: source, unit.selected.directory, to: target, place.shown(unit.selected.path))
                defer { writer.finish() }
                for index in unit.entries {
                    try cancellation?.check()
                    try writer.write(index, as: unit.selected.directory.listing.name(index))
                }
                count(writer.outcome)
            }
        }
    }

    /// Copies the first of the names of a file, and links the others to it.
    private func writeLinks(_ names: [HardLinks.Name], in place: Place) throws {
        try cancellation?.check()
        guard let first = names.first else { return }
        try writeUnit(Unit(selected: first.selected, entries: [first.index]), in: place)
        let origin = try place.open(first.selected.path)
        for other in names.dropFirst() {
            let target = try place.open(other.selected.path)
            let path = other.selected.path.appending(other.name)
            try origin.withDescriptor { (origin) throws(BuildError) in
                try target.withDescriptor { (target) throws(BuildError) in
                    try replacing(other.name, at: target, path, place) { (name) throws(Errno) in
                        try first.name.withCString { (source) throws(Errno) in
                            try Syscall.link(source, at: origin, to: name, at: target)
                        }
                    }
                }
            }
            count(TreeCopier.Outcome(entries: 1))
        }
    }

    private func replacing(
        _ name: EntryPath, at directory: FileDescriptor, _ path: EntryPath, _ place: Place,
        _ make: (UnsafePointer<CChar>) throws(Errno) -> Void
    ) throws(BuildError) {
        do throws(Errno) {
            try EntryWriter.replacing(name, at: directory, make)
        } catch {
            if error == .isDirectory { throw BuildError.fileOntoDirectory(sourcePath(path), place.shown(path)) }
            throw BuildError.fileSystem("create link", place.shown(path), error)
        }
    }
}

/// Files of a selection that have several names in it.
struct HardLinks {
    struct Name {
        let selected: SelectedDirectory
        let index: Int
        var name: EntryPath { selected.directory.listing.name(index) }
    }

    private struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let keys: Set<Key>
    /// The names of each such file, in the order of the selection.
    let groups: [[Name]]

    init(_ selection: [SelectedDirectory]) {
        var names: [Key: [Name]] = [:]
        var order: [Key] = []
        for selected in selection {
            for entry in selected.entries {
                let status = selected.status(entry)
                guard status.isRegular, status.links > 1 else { continue }
                let key = Key(device: status.device, inode: status.inode)
                if names[key] == nil { order.append(key) }
                names[key, default: []].append(Name(selected: selected, index: entry.index))
            }
        }
        // Most files with several links have the others elsewhere, and are copied as any other.
        let shared = order.filter { (names[$0]?.count ?? 0) > 1 }
        keys = Set(shared)
        groups = shared.compactMap { names[$0] }
    }

    func contains(_ status: FileStatus) -> Bool {
        status.links > 1 && status.isRegular && keys.contains(Key(device: status.device, inode: status.inode))
    }
}

extension CopyRequest {
    /// The mode of directories that are made on the way, and of a destination that is made for contents.
    var newDirectoryMode: UInt32 { mode?.newDirectoryMode ?? 0o755 }

    /// The permission bits that a copy of something gets.
    func mode(of status: FileStatus) -> UInt32 {
        mode?.applied(to: status.permissions, isDirectory: status.isDirectory) ?? status.permissions
    }
}
