internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleRuntime
internal import WhittleSnapshot
internal import WhittleStore

/// Applies file actions to a mounted root. Blocks.
struct FileChanger {
    let root: RootDirectory
    /// Whether the root has the files of an earlier step or image.
    let hasBase: Bool
    /// The time of what the actions make, and the latest of what they copy: layers do not depend on the clock.
    let time: FileTime
    /// Whether nothing may be later than that time, and what comes from a context gets it whatever it had: a checkout has the
    /// time at which it was made.
    let isDated: Bool
    /// What an archive may unpack to; `nil` for anything.
    let archiveLimit: ByteCount?
    let cancellation: Cancellation
    /// Called with what a user should know of an action that goes on all the same.
    let warn: @Sendable (String) -> Void

    func apply(_ action: FileAction, from trees: [Int: SourceTree]) throws {
        switch action {
        case .copy(let copy):
            guard let tree = trees[copy.input] else { preconditionFailure("a copy from an input that is not there") }
            try self.copy(copy, from: tree)
        case .makeFile(let path, let contents, let mode, let owner):
            try makeFile(path, contents, mode, owner)
        case .makeDirectory(let path, let mode, let owner):
            try root.makeDirectories(
                path, DirectoryCreation(mode: UInt32(mode), owner: try resolve(owner) ?? .root, time: time))
        case .remove(let path, let allowsMissing):
            guard try root.remove(path) || allowsMissing else {
                throw BuildError.fileSystem("remove", path, .noSuchFileOrDirectory)
            }
        }
    }

    private func resolve(_ owner: Owner?) throws(BuildError) -> FileOwner? {
        guard let owner else { return nil }
        var resolver = UserResolver(root: root)
        var missing: BuildError?
        let found = try resolver.owner(owner.group.map { "\(owner.user):\($0)" } ?? owner.user) { missing = $0 }
        guard let missing else { return found }
        // Where there is no base, no name can ever be known.
        guard hasBase else { throw missing }
        let instead = missing.code == .unknownGroup ? "the group is the user's" : "the owner is root"
        warn("\(missing.message): as with docker, \(instead)\(missing.hint.map { "; \($0)" } ?? "")")
        return found
    }

    private func copy(_ copy: CopyAction, from tree: SourceTree) throws {
        var request = try LocalWorker.copyRequest(copy, owner: try resolve(copy.owner), latestTime: time)
        request.clampsDirectories = isDated
        if isDated, tree.kind == .context { request.fixedTime = time }
        let plan = try CopyPlan(request, from: tree, cancellation: cancellation)
        try warnOfSeveralFiles(plan)
        guard copy.unpacks == .archives else {
            try TreeCopier.execute(plan, into: root, cancellation: cancellation)
            return
        }
        // In their order: a later source may lie in what an earlier one unpacked.
        for (position, item) in plan.items.enumerated() {
            if item.status?.isRegular == true, try ArchiveProbe.isArchive(plan.open(item)) {
                try unpack(item, of: plan, request)
            } else {
                try TreeCopier.execute(plan.selecting(position), into: root, cancellation: cancellation)
            }
        }
        // Makes the destination where a pattern found nothing.
        if plan.items.isEmpty { try TreeCopier.execute(plan, into: root, cancellation: cancellation) }
    }

    /// Several files that a pattern finds go to one name one after the other, as in BuildKit: hardly what was meant.
    private func warnOfSeveralFiles(_ plan: CopyPlan) throws {
        let destination = plan.request.destination
        let files = plan.items.filter { !$0.isDirectory }
        guard files.count > 1, !destination.hasSuffix("/"), !destination.hasSuffix("/."), let last = files.last,
            try root.status(of: destination)?.isDirectory != true
        else { return }
        warn(
            "\(files.count) files are copied to '\(destination)', which is no directory, and only the last one stays, "
                + "'\(last.path)'; end the destination with a slash: '\(destination)/'")
    }

    /// Unpacks a local archive below the destination, which becomes a directory. Owners are the archive's unless the action
    /// names one; modes always are.
    private func unpack(_ item: CopyPlan.Item, of plan: CopyPlan, _ request: CopyRequest) throws {
        let destination = request.destination
        try root.makeDirectories(
            destination, DirectoryCreation(mode: 0o755, owner: request.owner ?? .root, time: time))
        let target = try RootDirectory(root.path + root.resolved(destination), name: root.name)
        let rules = LayerApplier.ArchiveRules(owner: request.owner, latestTime: time, clampsDirectories: isDated)
        do {
            try ArchiveUnpacker.unpack(into: target, rules, limit: archiveLimit) { feed in
                try read(plan.open(item), feed)
            }
        } catch let error as BuildError {
            throw BuildError.unpacking(item.path, error)
        }
    }

    private func read(_ file: consuming OwnedDescriptor, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        try file.withDescriptor { descriptor in
            while true {
                try cancellation.check()
                let count = try Syscall.read(descriptor, into: buffer)
                if count == 0 { return }
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    private func makeFile(_ path: String, _ contents: [UInt8], _ mode: UInt16, _ owner: Owner?) throws {
        let owner = try resolve(owner) ?? .root
        guard !path.hasSuffix("/") else { throw BuildError.fileSystem("write file", path, .isDirectory) }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try root.makeDirectories(String(path[..<slash]), DirectoryCreation(mode: 0o755, owner: .root, time: time))
        }
        // What was there is replaced and not written through: it may be another file's second name.
        _ = try root.remove(path)
        try root.writeFile(path, contents, mode: UInt32(mode), owner: owner)
        try root.open(path, [.writeOnly]).withDescriptor { try Syscall.changeTimes($0, to: time) }
    }
}

/// Tells tar archives, compressed or not, from other files.
enum ArchiveProbe {
    /// Whether the file is one: its first block, decompressed, is a tar header.
    static func isArchive(_ file: consuming OwnedDescriptor) throws -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        let head = Head()
        var decompressor = Decompressor { bytes in
            head.bytes += Array(bytes.prefix(512 - head.bytes.count))
            if head.bytes.count >= 512 { throw Enough() }
        }
        do {
            try file.withDescriptor { descriptor in
                while true {
                    let count = try Syscall.read(descriptor, into: buffer)
                    if count == 0 { break }
                    try decompressor.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            }
            try decompressor.finish()
        } catch is Enough {
            return TarHeaderProbe.isHeader(head.bytes)
        } catch is BuildError {
            // Looks compressed and is not: an ordinary file.
            return false
        }
        return TarHeaderProbe.isHeader(head.bytes)
    }

    private final class Head { var bytes: [UInt8] = [] }
    private struct Enough: Error {}
}

extension BuildError.Code {
    /// A local archive that `ADD` unpacks is damaged or unsafe.
    static let unpacking = Self(rawValue: "unpacking")
}

extension BuildError {
    static func unpacking(_ path: String, _ cause: BuildError) -> BuildError {
        BuildError(
            .unpacking, "unpacking the archive '\(path)'", hint: "use COPY, or ADD --unpack=false, to copy it as it is",
            cause: cause)
    }
}
