internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// The control groups of one step: made before its container, removed after it.
///
/// crun does without control groups, so that a step needs none where nothing is limited (and on machines that have both
/// kinds mounted, which it refuses). whittle makes the groups by itself, and starts the runtime inside them.
struct StepCgroup {
    /// The directories of the groups, one for each hierarchy.
    let directories: [String]
    /// Those that were made for them, parents first.
    private let made: [String]
    /// Where the number of processes is that the kernel ended for want of memory.
    private let outOfMemoryFile: String?
    /// In the unified hierarchy, the path from its root.
    let unifiedPath: String?

    /// Makes the groups that `resources` need.
    ///
    /// - Parameter name: of the new groups.
    /// - Throws: `resource-limits`; nothing is left then.
    static func make(_ resources: StepResources, name: String, in layout: CgroupLayout) throws(BuildError) -> StepCgroup
    {
        var maker = Maker(name: name)
        do throws(BuildError) {
            return switch layout {
            case .none: throw .noControlGroups()
            case .separate(let hierarchies): try maker.separate(hierarchies, resources)
            case .unified(let directory): try maker.unified(directory, resources)
            }
        } catch {
            maker.removeAll()
            throw error
        }
    }

    /// The files that a process writes `0` to in order to enter the groups.
    var entrances: [String] { directories.map { $0 + "/cgroup.procs" } }

    /// Whether the kernel has ended a process for want of memory.
    var isOutOfMemory: Bool {
        // A hint hangs on it, nothing else.
        guard let outOfMemoryFile, let bytes = try? FileReading.bytes(ofFileAt: outOfMemoryFile, limit: 4096) else {
            return false
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { line in
            line.hasPrefix("oom_kill ") && line != "oom_kill 0"
        }
    }

    /// Removes the groups. Their processes have ended, but the kernel may take a moment to notice.
    ///
    /// - Throws: `resource-limits` where a group is still in use after two seconds.
    func remove() throws(BuildError) {
        for directory in made.reversed() {
            var attempts = 0
            while rmdir(directory) != 0, errno != ENOENT {
                attempts += 1
                // A parent that other steps are in stays for them.
                if !directories.contains(directory) { break }
                guard errno == EBUSY, attempts < 200 else {
                    throw .controlGroup("remove", directory, Errno(rawValue: errno))
                }
                usleep(10_000)
            }
        }
    }

    private init(_ maker: Maker, directories: [String], outOfMemoryFile: String?, unifiedPath: String? = nil) {
        self.directories = directories
        self.outOfMemoryFile = outOfMemoryFile
        self.unifiedPath = unifiedPath
        made = maker.made
    }

    /// Makes groups and remembers which.
    private struct Maker {
        let name: String
        private(set) var made: [String] = []

        mutating func separate(
            _ hierarchies: [String: CgroupLayout.Hierarchy], _ resources: StepResources
        ) throws(BuildError) -> StepCgroup {
            let settings = resources.settingsV1
            // A parent is one in every hierarchy, as Docker has it; otherwise only those that limit something.
            let wanted =
                resources.parent == nil
                ? Set(settings.map(\.controller)) : Set(hierarchies.keys.filter { !$0.contains("=") })
            var groups: [String: String] = [:]
            for controller in wanted.union(settings.map(\.controller)).sorted() {
                guard let hierarchy = hierarchies[controller] else { throw .missingController(controller) }
                let place = resources.parent.map { "/" + $0 } ?? hierarchy.own
                groups[controller] = try make(place, in: hierarchy.directory, isCpuset: controller == "cpuset")
            }
            for setting in settings { try write(setting, to: groups[setting.controller] ?? "") }
            let memory = groups["memory"].map { $0 + "/memory.oom_control" }
            return StepCgroup(self, directories: Set(groups.values).sorted(), outOfMemoryFile: memory)
        }

        mutating func unified(_ root: String, _ resources: StepResources) throws(BuildError) -> StepCgroup {
            let settings = resources.settingsV2
            let parent = "/" + (resources.parent ?? "whittle")
            let controllers = Set(settings.map(\.controller)).sorted()
            let group = try make(parent, in: root, isCpuset: false) { (directory) throws(BuildError) in
                for controller in controllers {
                    let setting = StepResources.Setting(
                        controller: controller, file: "cgroup.subtree_control", value: "+" + controller)
                    try Self.write(setting, to: directory)
                }
            }
            for setting in settings { try write(setting, to: group) }
            return StepCgroup(
                self, directories: [group], outOfMemoryFile: group + "/memory.events",
                unifiedPath: String(group.dropFirst(root.count)))
        }

        /// Makes the group `NAME` below `place`, which is made where it is missing.
        ///
        /// - Parameter prepare: called for each directory on the way, which the new group's controllers depend on.
        private mutating func make(
            _ place: String, in root: String, isCpuset: Bool,
            prepare: (String) throws(BuildError) -> Void = { _ in }
        ) throws(BuildError) -> String {
            var directory = root
            for part in place.split(separator: "/").map(String.init) + [name] {
                try prepare(directory)
                let above = directory
                directory += "/" + part
                if mkdir(directory, 0o755) == 0 {
                    made.append(directory)
                } else if errno != EEXIST {
                    throw .controlGroup("make", directory, Errno(rawValue: errno))
                }
                if isCpuset { try inherit(from: above, to: directory) }
            }
            return directory
        }

        /// A new group of v1 has no processors and no memory, and takes no process until it has.
        private func inherit(from above: String, to directory: String) throws(BuildError) {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let current = try FileReading.bytes(ofFileAt: directory + "/" + file, limit: 4096) ?? []
                guard current.allSatisfy({ $0 == 0x0a }) else { continue }
                let value = String(
                    decoding: try FileReading.bytes(ofFileAt: above + "/" + file, limit: 4096) ?? [], as: UTF8.self)
                try write(StepResources.Setting(controller: "cpuset", file: file, value: value), to: directory)
            }
        }

        private func write(_ setting: StepResources.Setting, to directory: String) throws(BuildError) {
            try Self.write(setting, to: directory)
        }

        private static func write(_ setting: StepResources.Setting, to directory: String) throws(BuildError) {
            let path = directory + "/" + setting.file
            do throws(Errno) {
                let file = try Syscall.open(path, [.writeOnly])
                try file.withDescriptor { (descriptor) throws(Errno) in
                    // One write: the kernel reads each as a whole.
                    try Array(setting.value.utf8).withUnsafeBufferPointer { (bytes) throws(Errno) in
                        try Syscall.writeAll(descriptor, UnsafeRawBufferPointer(bytes))
                    }
                }
            } catch {
                throw .resourceRefused(setting, path, error)
            }
        }

        func removeAll() {
            // The error that matters is on its way; an empty group costs nothing.
            for directory in made.reversed() { rmdir(directory) }
        }
    }
}
