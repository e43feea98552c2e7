package import WhittleCore

/// What the processes of one step may use of the machine, and below which control group they are.
package struct StepResources: Hashable, Sendable {
    /// Memory, without and with swap; a swap of -1 bytes is no limit. Both stand for "no limit" where they are `nil`.
    package var memory: ByteCount?
    package var memoryAndSwap: ByteCount?
    /// The weight of the processors' time beside others, 1024 for a usual one.
    package var cpuShares: UInt64?
    /// Microseconds of time in each period, and the period; 100,000 where it is `nil`.
    package var cpuQuota: Int64?
    package var cpuPeriod: UInt64?
    /// Lists of processors and of memory nodes: `0-2,5`.
    package var processors: String?
    package var memoryNodes: String?
    /// A path from the root of the control groups; `nil` leaves the place to whittle.
    package var parent: String?

    package init() {}

    /// Whether there is anything to do.
    package var isEmpty: Bool { self == StepResources() }
}

extension StepResources {
    /// A file of a control group and what is written to it, in the order in which it has to be done.
    struct Setting: Hashable {
        let controller: String
        let file: String
        let value: String
    }

    /// The settings of control groups v1 (Linux, `Documentation/admin-guide/cgroup-v1`).
    var settingsV1: [Setting] {
        var settings: [Setting] = []
        func set(_ controller: String, _ file: String, _ value: String?) {
            if let value { settings.append(Setting(controller: controller, file: file, value: value)) }
        }
        set("memory", "memory.limit_in_bytes", memory.map { "\($0.bytes)" })
        set("memory", "memory.memsw.limit_in_bytes", memoryAndSwap.map { "\($0.bytes)" })
        set("cpu", "cpu.shares", cpuShares.map { "\($0)" })
        set("cpu", "cpu.cfs_period_us", cpuPeriod.map { "\($0)" })
        set("cpu", "cpu.cfs_quota_us", cpuQuota.map { "\($0)" })
        set("cpuset", "cpuset.cpus", processors)
        set("cpuset", "cpuset.mems", memoryNodes)
        return settings
    }

    /// The settings of control groups v2 (Linux, `Documentation/admin-guide/cgroup-v2.rst`).
    var settingsV2: [Setting] {
        var settings: [Setting] = []
        func set(_ controller: String, _ file: String, _ value: String?) {
            if let value { settings.append(Setting(controller: controller, file: file, value: value)) }
        }
        set("memory", "memory.max", memory.map { "\($0.bytes)" })
        // v2 counts swap by itself.
        set(
            "memory", "memory.swap.max",
            memoryAndSwap.map { $0.bytes < 0 ? "max" : "\(max(0, $0.bytes - (memory?.bytes ?? 0)))" })
        // Shares of 2 to 262,144 become weights of 1 to 10,000, as runtimes do it.
        set(
            "cpu", "cpu.weight",
            cpuShares.map { "\(1 + (UInt64(min(max($0, 2), 262_144)) - 2) * 9999 / 262_142)" })
        if cpuQuota != nil || cpuPeriod != nil {
            set("cpu", "cpu.max", "\(cpuQuota.map { "\($0)" } ?? "max") \(cpuPeriod ?? 100_000)")
        }
        set("cpuset", "cpuset.cpus", processors)
        set("cpuset", "cpuset.mems", memoryNodes)
        return settings
    }
}
