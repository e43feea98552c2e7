internal import WhittleCore

extension RuntimeSpec {
    /// The container in which `process` runs: what Docker gives a container that asks for nothing, but for cgroups.
    ///
    /// - Parameters:
    ///   - root: the directory of this machine that the container sees as `/`.
    ///   - user: whom ``StepProcess/user`` means in that root.
    ///   - mounts: the files and directories that go into the container, beside the usual file systems. They are
    ///     mounted after those whose targets are above theirs.
    ///   - held: the capabilities that there are to give.
    package static func container(
        for process: StepProcess, root: String, user: ContainerUser, mounts: [Mount],
        held: Set<Capability> = Capability.held
    ) -> RuntimeSpec {
        let isPrivileged = process.security == .insecure
        let change = process.capabilities
        let usual = isPrivileged ? Capability.all : Capability.containerDefault
        let added = Capability.all.filter { change.added.contains($0) && !usual.contains($0) }
        let capabilities = (usual + added).filter {
            held.contains($0) && (change.added.contains($0) || !change.dropped.contains($0))
        }
        var spec = RuntimeSpec(
            process: Process(
                arguments: process.arguments, environment: environment(of: process, home: user.home),
                secretEnvironment: process.secretEnvironment, workingDirectory: process.workingDirectory, user: user,
                capabilities: capabilities),
            root: root, hostname: process.hostname,
            mounts: inOrder(
                fileSystems(isPrivileged: isPrivileged, sharedMemory: process.sharedMemory) + mounts),
            namespaces: [.pid, .ipc, .uts, .mount] + (process.network == .none ? [.network] : []))
        spec.isRootReadOnly = process.isRootReadOnly
        spec.process.limits = process.limits
        spec.process.hasAmbientCapabilities = isPrivileged && process.givesCapabilitiesToUsers
        spec.devices = process.devices
        spec.hooks = process.hooks
        spec.process.user.additionalGroups += process.additionalGroups.filter { !user.additionalGroups.contains($0) }
        if !isPrivileged {
            spec.maskedPaths = hiddenPaths
            spec.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
            let isUsual = held == Capability.held && change == StepProcess.CapabilityChange()
            spec.seccomp = isUsual ? usualFilter : .containerDefault(capabilities: Set(capabilities))
        }
        return spec
    }

    /// What a process finds in `PATH` where neither the image nor the Dockerfile sets it.
    package static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The plain part of the environment. Of two variables with one name some programs take the first, others the
    /// last; so one that is a secret too is left out here.
    private static func environment(of process: StepProcess, home: String) -> [String] {
        func name(_ variable: String) -> Substring { variable.prefix { $0 != "=" } }
        let secret = Set(process.secretEnvironment.revealed.map(name))
        var environment = process.environment.filter { !secret.contains(name($0)) }
        let names = secret.union(environment.map(name))
        if !names.contains("PATH") { environment.insert("PATH=\(defaultPath)", at: 0) }
        if !names.contains("HOME") { environment.append("HOME=\(home)") }
        return environment
    }

    /// Parents before what is in them; otherwise as given.
    private static func inOrder(_ mounts: [Mount]) -> [Mount] {
        func depth(_ mount: Mount) -> Int { mount.target.utf8.split(separator: UInt8(ascii: "/")).count }
        return mounts.enumerated().sorted { left, right in
            (depth(left.element), left.offset) < (depth(right.element), right.offset)
        }.map { $0.element }
    }

    private static func fileSystems(isPrivileged: Bool, sharedMemory: ByteCount?) -> [Mount] {
        [
            Mount("/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            Mount(
                "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Mount(
                "/dev/pts", type: "devpts", source: "devpts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            Mount(
                "/dev/shm", type: "tmpfs", source: "shm",
                options: ["nosuid", "noexec", "nodev", "mode=1777", "size=\(sharedMemory?.bytes ?? 64 << 20)"]),
            Mount("/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
            Mount(
                "/sys", type: "sysfs", source: "sysfs",
                options: ["nosuid", "noexec", "nodev"] + (isPrivileged ? [] : ["ro"])),
        ]
    }

    /// The filter of nearly every step, made once.
    private static let usualFilter = SeccompProfile.containerDefault(
        capabilities: Capability.held.intersection(Capability.containerDefault))

    /// What tells of, or reaches, the machine outside; runtimes pass over those that do not exist.
    private static let hiddenPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
        "/sys/firmware",
    ]
}
