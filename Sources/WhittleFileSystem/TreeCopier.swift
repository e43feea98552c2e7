internal import SystemPackage
internal import WhittleCore

/// Copies what a ``CopyPlan`` selects into a root.
///
/// The rules, as BuildKit has them:
/// - A file goes to the exact destination, or under its own name into a destination that is a directory or ends with a
///   slash. What is there is replaced; a directory is not.
/// - A directory gives its contents, which are merged into the destination. An existing destination keeps its own
///   metadata, a new one has mode 0755 or the octal one that is asked for; existing directories below it get those of the source. A directory does not
///   replace a file.
/// - Where a pattern finds several files for a destination that is a file's name, the last one stays.
/// - Links in the destination's path are followed inside the root. Links below a source are copied as links.
/// - Mode, owner, time of modification, extended attributes and hard links between copied files are kept. Directories
///   made on the way have mode 0755, or the octal one that is asked for.
///
/// Directories that existed before keep their time of modification, so that a layer does not depend on the clock.
package enum TreeCopier {
    /// What was written.
    package struct Outcome: Sendable, Equatable {
        package var entries = 0
        package var bytes: Int64 = 0
    }

    /// Copies everything, on two threads.
    ///
    /// - Throws: `BuildError` (`copy-type-conflict`, `source-changed`, `file-system`);
    ///   `CancellationError`. What was copied by then stays.
    @discardableResult
    package static func execute(
        _ plan: CopyPlan, into root: RootDirectory, cancellation: Cancellation? = nil
    ) throws -> Outcome {
        let request = plan.request
        let endsAsDirectory = request.destination.hasSuffix("/") || request.destination.hasSuffix("/.")
        var outcome = Outcome()
        for item in plan.items {
            try cancellation?.check()
            try prepare(request, endsAsDirectory, root)
            let target = try CopyTarget(for: item, request, in: root)
            let writer = TreeWriter(plan, item, cancellation)
            try target.keepingTime(latest: request.latestTime) { parent in
                try writer.write(to: target, in: parent)
            }
            outcome.entries += writer.outcome.entries
            outcome.bytes += writer.outcome.bytes
        }
        return outcome
    }

    /// Makes the directories that the destination is to be in.
    private static func prepare(
        _ request: CopyRequest, _ endsAsDirectory: Bool, _ root: RootDirectory
    ) throws(BuildError) {
        let path = endsAsDirectory ? request.destination : AtomicFile.parent(of: request.destination)
        guard request.createsDestination else {
            guard try root.status(of: path) != nil else {
                throw root.failure("copy to", request.destination, .noSuchFileOrDirectory)
            }
            return
        }
        try root.makeDirectories(
            path,
            DirectoryCreation(
                mode: request.newDirectoryMode, owner: request.owner ?? .root, time: request.latestTime))
    }
}

/// Where an item goes: a name in an open directory of the destination.
struct CopyTarget {
    /// The name that the item gets; `nil` for the root itself, into which a directory is merged.
    let name: EntryPath?
    /// What is there.
    let status: FileStatus?
    /// The directory that holds the name, from the root of the destination and without links.
    let directoryPath: String
    private let root: RootDirectory

    init(for item: CopyPlan.Item, _ request: CopyRequest, in root: RootDirectory) throws(BuildError) {
        self.root = root
        let walker = PathWalker(root: root, path: request.destination)
        let found = try walker.resolve(followingLast: true, missing: .stop)
        let goesInside = !item.isDirectory || !request.copiesDirectoryContents
        switch found {
        case .missing(let name):
            self.name = name
            status = nil
            directoryPath = walker.directoryPath
        case .entry(let name, let status) where !(goesInside && status.isDirectory):
            self.name = name
            self.status = status
            directoryPath = walker.directoryPath
        case .root where !goesInside || item.name.isEmpty:
            name = nil
            status = nil
            directoryPath = "/"
        case .root, .entry:
            // Into the directory, under the item's own name. A link of that name is replaced, not followed.
            let base = if case .entry(let name, _) = found { Self.join(walker.directoryPath, name) } else { "/" }
            name = item.name
            status = try root.status(of: Self.join(base, item.name), followingLinks: false)
            directoryPath = base
        }
    }

    static func join(_ directory: String, _ name: EntryPath) -> String {
        directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    }

    /// The path of the item, from the root of the destination.
    var path: String { name.map { Self.join(directoryPath, $0) } ?? "/" }

    /// Calls `body` with the open directory, and gives that its time of modification back.
    func keepingTime(latest: FileTime?, _ body: (FileDescriptor) throws -> Void) throws {
        let opened = try root.open(directoryPath, [.readOnly, .directory])
        try opened.withDescriptor { directory in
            let before = try Syscall.status(directory).modified
            try body(directory)
            let time = latest.map { min($0, before) } ?? before
            try describing("set times of", directoryPath) { () throws(Errno) in
                try Syscall.changeTimes(directory, to: time)
            }
        }
    }
}
