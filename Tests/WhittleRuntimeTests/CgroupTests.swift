import Testing
import WhittleCore
import WhittleFileSystem
import WhittleTestKit

@testable import WhittleRuntime

@Suite("Control groups")
struct CgroupTests {
    @Test("a machine of v1 has a hierarchy for each controller, and this process a place in each")
    func separate() {
        let mounts = """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
            40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            """
        let groups = "4:memory:/docker/abc/x\n3:cpu,cpuacct:/\n1:name=systemd:/init\n0::/\n"
        let cpu = CgroupLayout.Hierarchy(directory: "/sys/fs/cgroup/cpu,cpuacct", own: "")
        #expect(
            CgroupLayout(mounts: mounts, groups: groups)
                == .separate([
                    "cpu": cpu, "cpuacct": cpu,
                    "memory": CgroupLayout.Hierarchy(directory: "/sys/fs/cgroup/memory", own: "/x"),
                    "name=systemd": CgroupLayout.Hierarchy(directory: "/sys/fs/cgroup/systemd", own: "/init"),
                ]))
    }

    @Test("a machine of v2 has one for all, and some have none")
    func unified() {
        let mounts = "26 23 0:23 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
        #expect(CgroupLayout(mounts: mounts, groups: "0::/user.slice\n") == .unified(directory: "/sys/fs/cgroup"))
        #expect(CgroupLayout(mounts: "31 23 0:28 / / rw - ext4 x rw\n", groups: "") == .none)
    }

    @Test("resources become the files of either version")
    func settings() {
        var resources = StepResources()
        resources.memory = ByteCount(1 << 30)
        resources.memoryAndSwap = ByteCount(3 << 29)
        resources.cpuShares = 1024
        resources.cpuQuota = 50000
        resources.processors = "0-1"
        #expect(
            resources.settingsV1.map { "\($0.file)=\($0.value)" } == [
                "memory.limit_in_bytes=1073741824", "memory.memsw.limit_in_bytes=1610612736", "cpu.shares=1024",
                "cpu.cfs_quota_us=50000", "cpuset.cpus=0-1",
            ])
        #expect(
            resources.settingsV2.map { "\($0.file)=\($0.value)" } == [
                "memory.max=1073741824", "memory.swap.max=536870912", "cpu.weight=39", "cpu.max=50000 100000",
                "cpuset.cpus=0-1",
            ])
        resources = StepResources()
        #expect(resources.isEmpty)
        resources.memoryAndSwap = ByteCount(-1)
        #expect(resources.settingsV2.map(\.value) == ["max"] && resources.settingsV1.map(\.value) == ["-1"])
    }

    @Test("the groups of v2 are made below the parent, with their controllers, and go again")
    func unifiedGroup() throws {
        // The kernel makes the files of a group; here the error about a missing one shows how far it came.
        let directory = try TemporaryDirectory("cgroup")
        var resources = StepResources()
        resources.memory = ByteCount(1 << 20)
        resources.parent = "mine"
        let error = #expect(throws: BuildError.self) {
            try StepCgroup.make(resources, name: "whittle-1", in: .unified(directory: directory.path))
        }
        #expect(error?.code == .resourceLimits)
        #expect(error?.message.contains("writing '+memory' to '\(directory.path)/cgroup.subtree_control'") == true)
        #expect(error?.hint == "the controller 'memory' is not enabled in the group above")
        resources.memory = nil
        let group = try StepCgroup.make(resources, name: "whittle-1", in: .unified(directory: directory.path))
        #expect(group.entrances == [directory("mine/whittle-1/cgroup.procs")])
        #expect(group.unifiedPath == "/mine/whittle-1" && !group.isOutOfMemory)
        try group.remove()
        #expect(try RootDirectory(directory.path).names(in: "/").isEmpty)
    }

    @Test("a machine without the controller, or without any, is told")
    func missing() {
        var resources = StepResources()
        resources.cpuShares = 2
        let none = #expect(throws: BuildError.self) { try StepCgroup.make(resources, name: "x", in: .none) }
        #expect(none?.message == "cannot limit the resources of a step: there are no control groups to be used")
        let other = #expect(throws: BuildError.self) { try StepCgroup.make(resources, name: "x", in: .separate([:])) }
        #expect(other?.message == "cannot limit the resources of a step: this machine has no controller 'cpu'")
    }
}
