internal import SystemPackage
package import WhittleCore
package import WhittleFileSystem

/// The empty files and directories that a container's mounts need in its root file system, and their removal.
///
/// What a mount goes over must exist. ``prepare(_:in:)`` makes what is missing, ``cleanUp()`` removes it after the step,
/// so that it is not part of the layer, and gives the directories above back their times. What the step has changed,
/// or has put something into, stays.
package struct MountStubs {
    /// What a mount goes over.
    package struct Target: Hashable, Sendable {
        /// Absolute, in the container; links on the way are followed inside the root.
        package var path: String
        package var isDirectory: Bool

        package init(_ path: String, isDirectory: Bool) {
            self.path = path
            self.isDirectory = isDirectory
        }
    }

    private let root: RootDirectory
    /// From the root and without links, parents first.
    private var made: [(path: String, status: FileStatus)] = []
    /// The directories that were there and got something new.
    private var parents: [String: Times] = [:]

    private struct Times {
        let original: FileTime
        /// With all stubs made, before the step.
        var prepared: FileTime
    }

    /// Makes what is missing for `targets` in `root`.
    ///
    /// A target below an earlier one is left out: it lies in what is mounted there.
    ///
    /// - Throws: `BuildError` (`file-system`); what was made so far is removed again.
    package static func prepare(_ targets: [Target], in root: RootDirectory) throws(BuildError) -> MountStubs {
        var stubs = MountStubs(root: root)
        do throws(BuildError) {
            var earlier: [String] = []
            for target in targets {
                defer { earlier.append(target.path) }
                guard !earlier.contains(where: { target.path.utf8.starts(with: "\($0)/".utf8) }) else { continue }
                try stubs.add(target)
            }
            try stubs.recordPrepared()
        } catch {
            // The first error matters; the root is dropped with a failed step.
            try? stubs.cleanUp()
            throw error
        }
        return stubs
    }

    /// Runs `body` with what `targets` need in `root`.
    ///
    /// - Throws: what `body` throws; `BuildError` (`file-system`) where stubs cannot be made or removed.
    package static func withStubs<Value>(
        for targets: [Target], in root: RootDirectory, _ body: () throws -> Value
    ) throws -> Value {
        var stubs = try prepare(targets, in: root)
        let result = Result { try body() }
        do {
            try stubs.cleanUp()
        } catch {
            // The error of the body tells more; the root of a failed step is dropped.
            if case .success = result { throw error }
        }
        return try result.get()
    }

    /// Removes what was made and is still as it was made. Does nothing the second time.
    ///
    /// - Throws: `BuildError` (`file-system`); then some of it is still there.
    package mutating func cleanUp() throws(BuildError) {
        var times: [(path: String, time: FileTime)] = []
        for (path, known) in parents {
            guard let now = try root.status(of: path, followingLinks: false) else { continue }
            // A directory that the step changed too keeps the time of that.
            times.append((path, now.modified == known.prepared ? known.original : now.modified))
        }
        for stub in made.reversed() {
            guard let now = try root.status(of: stub.path, followingLinks: false) else { continue }
            guard now.kind == stub.status.kind, now.mode == stub.status.mode, now.owner == stub.status.owner,
                try now.isDirectory ? root.names(in: stub.path).isEmpty : now.size == 0
            else { continue }
            try root.remove(stub.path)
        }
        for (path, time) in times {
            let directory = try root.open(path, [.readOnly, .directory])
            try describing("set times of", path) { () throws(Errno) in
                try directory.withDescriptor { (descriptor) throws(Errno) in
                    try Syscall.changeTimes(descriptor, to: time)
                }
            }
        }
        made = []
        parents = [:]
    }

    private init(root: RootDirectory) { self.root = root }

    private mutating func add(_ target: Target) throws(BuildError) {
        var links = 0
        let place = try place(for: target.path, &links)
        guard try root.status(of: place) == nil else { return }
        try recordParent(of: place)
        if target.isDirectory {
            try root.makeDirectories(place)
        } else {
            try root.writeFile(place, [])
        }
        try recordMade(place)
    }

    /// The path to which `path` leads, made or found up to its last component, from the root and without links.
    private mutating func place(for path: String, _ links: inout Int) throws(BuildError) -> String {
        if try root.status(of: path) != nil { return try root.resolved(path) }
        let (parent, name) = Self.split(path)
        let directory = try directory(at: parent, &links)
        let place = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
        guard let status = try root.status(of: place, followingLinks: false), status.isLink else { return place }
        // A link to nothing. The kernel stops after 40.
        links += 1
        guard links <= 40 else {
            throw BuildError.fileSystem("make a mount point at", path, .tooManySymbolicLinkLevels)
        }
        let text = try root.linkTarget(of: place).description
        return try self.place(for: text.utf8.first == 0x2f ? text : "\(directory)/\(text)", &links)
    }

    /// Makes the directory at `path` where it is missing, with those above.
    private mutating func directory(at path: String, _ links: inout Int) throws(BuildError) -> String {
        let place = try place(for: path, &links)
        guard try root.status(of: place) == nil else { return place }
        try recordParent(of: place)
        try root.makeDirectories(place)
        try recordMade(place)
        return place
    }

    private mutating func recordParent(of place: String) throws(BuildError) {
        let parent = Self.split(place).parent
        guard parents[parent] == nil, !made.contains(where: { $0.path == parent }),
            let status = try root.status(of: parent)
        else { return }
        parents[parent] = Times(original: status.modified, prepared: status.modified)
    }

    private mutating func recordMade(_ place: String) throws(BuildError) {
        guard let status = try root.status(of: place, followingLinks: false) else { return }
        made.append((place, status))
    }

    private mutating func recordPrepared() throws(BuildError) {
        for path in parents.keys {
            guard let status = try root.status(of: path) else { continue }
            parents[path]?.prepared = status.modified
        }
    }

    /// The last component, and the path before it; `..` is left to the kernel, which resolves it in the parent.
    private static func split(_ path: String) -> (parent: String, name: String) {
        var components = path.utf8.split(separator: 0x2f).map { String(Substring($0)) }.filter { $0 != "." }
        let name = components.popLast() ?? ""
        return ("/" + components.joined(separator: "/"), name)
    }
}
