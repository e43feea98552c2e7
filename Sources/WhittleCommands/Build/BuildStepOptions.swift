internal import ArgumentParser
internal import WhittleCore
internal import WhittleFrontend
internal import WhittleGraph
internal import WhittleRuntime

/// What steps may do, and what they find.
struct BuildStepOptions: ParsableArguments {
    @Option(
        name: .customLong("allow"), parsing: .singleValue,
        help: ArgumentHelp(
            "Allow steps what the Dockerfile asks for beyond the sandbox: security.insecure (RUN --security=insecure), "
                + "network.host (RUN --network=host), device or device=NAME[,alias=OTHER] (RUN --device).",
            valueName: "right[,right]"))
    var allowed: [String] = []

    @Option(
        name: .customLong("add-host"), parsing: .singleValue,
        help: ArgumentHelp(
            "Add a line to /etc/hosts of the steps; the address host-gateway is this machine.",
            valueName: "name:address"))
    var hosts: [String] = []

    @Option(
        name: .customLong("shm-size"),
        help: ArgumentHelp("The size of /dev/shm, such as 256m. Without it: 64m.", valueName: "size"))
    var sharedMemory: String?

    @Option(
        name: .customLong("ulimit"), parsing: .singleValue,
        help: ArgumentHelp(
            "Limit the processes of steps, as ulimit does: nofile=1024:2048; -1 is no limit.",
            valueName: "name=soft[:hard]"))
    var limits: [String] = []

    @Option(
        name: .customLong("resource"), parsing: .singleValue,
        help: ArgumentHelp(
            "Limit what each step may use: memory=2g, memory-swap=3g, cpu-quota=, cpu-period= (microseconds), cpu-shares=, "
                + "cpuset-cpus=0-1, cpuset-mems=.", valueName: "name=value,…"))
    var resources: [String] = []

    @Option(
        name: .customLong("cgroup-parent"),
        help: ArgumentHelp("Put the steps below this control group.", valueName: "path"))
    var cgroupParent: String?

    @Option(
        name: .customLong("cdi-spec-dir"), parsing: .singleValue,
        help: ArgumentHelp(
            "Look for descriptions of devices (CDI, JSON) here instead of in /etc/cdi, /var/run/cdi and /etc/buildkit/cdi.",
            valueName: "path"), completion: .directory)
    var deviceDirectories: [String] = []

    /// What the options say of every step.
    ///
    /// - Throws: `invalid-argument`.
    func settings() throws(BuildError) -> StepSettings {
        var settings = StepSettings()
        for text in hosts {
            let host = try HostArgument(parsing: text)
            settings.extraHosts.append(HostEntry(name: host.name, address: host.address))
        }
        if let text = sharedMemory {
            guard let size = ByteCount(parsing: text), size > .zero else {
                throw .invalidArgument("--shm-size", text, "it is no size", hint: "write a number with a unit: 64m, 1g")
            }
            settings.sharedMemory = size.bytes
        }
        for text in limits {
            let limit = try LimitArgument(parsing: text).limit
            // As docker: the last one of a name counts.
            settings.limits.removeAll { $0.name == limit.name }
            settings.limits.append(limit)
        }
        // Their order means nothing, and must not be in a key.
        settings.limits.sort { $0.name < $1.name }
        return settings
    }

    /// What each step may use of the machine.
    ///
    /// - Throws: `invalid-argument`.
    func stepResources() throws(BuildError) -> StepResources {
        var result = StepResources()
        for text in resources { try ResourceArgument(parsing: text).apply(to: &result) }
        if let swap = result.memoryAndSwap, swap.bytes >= 0, swap < result.memory ?? .zero {
            throw .invalidArgument(
                "--resource", resources.joined(separator: " "), "memory-swap is less than memory",
                hint: "memory-swap counts both; -1 is no limit")
        }
        if let path = cgroupParent {
            let parts = path.split(separator: "/")
            guard !parts.isEmpty, !parts.contains(where: { $0 == ".." || $0 == "." }) else {
                throw .invalidArgument(
                    "--cgroup-parent", path, "it is no path of a control group",
                    hint: "write it from the root of the control groups: /builds/mine")
            }
            result.parent = parts.joined(separator: "/")
        }
        return result
    }
}
