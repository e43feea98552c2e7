internal import WhittleCore
internal import WhittleFileSystem

/// Where the control groups of this machine are mounted, and where this process is among them.
enum CgroupLayout: Hashable {
    /// One hierarchy for each controller, or for a few of them: its directory, by the name of the controller, with the path
    /// of this process's own group below it.
    case separate([String: Hierarchy])
    /// One hierarchy for all.
    case unified(directory: String)
    case none

    struct Hierarchy: Hashable {
        let directory: String
        let own: String
    }

    /// - Throws: `file-system`.
    static func ofMachine() throws(BuildError) -> CgroupLayout {
        let machine = try RootDirectory("/")
        func text(_ path: String) throws(BuildError) -> String {
            String(decoding: try machine.bytes(ofFileAt: path, limit: 4 << 20) ?? [], as: UTF8.self)
        }
        return CgroupLayout(mounts: try text("/proc/self/mountinfo"), groups: try text("/proc/self/cgroup"))
    }

    /// - Parameters:
    ///   - mounts: `/proc/self/mountinfo` (proc(5)).
    ///   - groups: `/proc/self/cgroup` (cgroups(7)): lines of `NUMBER:CONTROLLERS:PATH`.
    init(mounts: String, groups: String) {
        var own: [String: String] = [:]
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",") { own[String(controller)] = fields[2] }
        }
        var hierarchies: [String: Hierarchy] = [:]
        var unified: String?
        for line in mounts.split(separator: "\n") {
            guard let separator = line.firstRange(of: " - ") else { continue }
            let before = line[..<separator.lowerBound].split(separator: " ")
            let after = line[separator.upperBound...].split(separator: " ")
            guard before.count > 4, after.count > 2 else { continue }
            // In a path, proc(5) writes blanks in octal; no mount of control groups has any.
            let (root, directory) = (String(before[3]), String(before[4]))
            if after[0] == "cgroup2" { unified = directory }
            guard after[0] == "cgroup" else { continue }
            for controller in after[2].split(separator: ",").map(String.init) {
                guard let path = own[controller] else { continue }
                // Of a mount that shows a part of the tree, paths count from that part.
                let inside = root != "/" && path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
                hierarchies[controller] = Hierarchy(directory: directory, own: inside == "/" ? "" : inside)
            }
        }
        if !hierarchies.isEmpty {
            self = .separate(hierarchies)
        } else {
            self = unified.map { .unified(directory: $0) } ?? .none
        }
    }
}
