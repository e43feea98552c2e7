package import WhittleCore
internal import WhittleFileSystem

extension StepProcess {
    /// Gives a process of `RUN --security=insecure` what BuildKit gives it beside capabilities and system calls: the
    /// control groups of this machine to write, and the devices that privileged tools look for, as far as the machine has
    /// them.
    ///
    /// In a user namespace the kernel makes no device nodes, so a step of an ordinary user gets none of them.
    package mutating func addPrivileges() throws(BuildError) {
        givesCapabilitiesToUsers = true
        let machine = try RootDirectory("/")
        if try machine.status(of: "/sys/fs/cgroup")?.isDirectory ?? false {
            mounts.append(.bind(source: "/sys/fs/cgroup", target: "/sys/fs/cgroup", isReadOnly: false))
        }
        guard StartingUser.isRoot else { return }
        let loops = try machine.names(in: "/dev").map(\.description).filter { name in
            name.hasPrefix("loop") && name.dropFirst(4).allSatisfy(\.isNumber) && name.count > 4
        }
        for name in ["kmsg", "cuse", "fuse", "kvm", "net/tun", "loop-control"] + loops.sorted() {
            guard let device = try RuntimeSpec.Device(ofMachine: "/dev/\(name)") else { continue }
            devices.append(device)
        }
    }
}

extension RuntimeSpec.Device {
    /// The node at `path` of this machine, for the same path of a container; `nil` where there is none.
    package init?(ofMachine path: String) throws(BuildError) {
        guard let status = try RootDirectory("/").status(of: path) else { return nil }
        let kind: Kind
        switch status.mode & 0o170000 {
        case 0o020000: kind = .character
        case 0o060000: kind = .block
        case 0o010000: kind = .pipe
        default: return nil
        }
        // The form that stat(2) gives: 12 bits of the major number, and 20 of the minor in two pieces.
        let number = status.specialDevice
        self.init(
            path: path, kind: kind, major: UInt32(truncatingIfNeeded: (number >> 8) & 0xfff),
            minor: UInt32(truncatingIfNeeded: (number & 0xff) | ((number >> 12) & 0xfff00)),
            mode: status.permissions, uid: status.owner.uid, gid: status.owner.gid)
    }
}
