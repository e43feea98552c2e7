import Testing
import WhittleCore
import WhittleGraph
import WhittleRuntime

@testable import WhittleCommands

@Suite("Arguments about steps")
struct StepArgumentTests {
    @Test(
        "--add-host",
        arguments: [
            ("a:192.0.2.1", "a", "192.0.2.1"), ("a=192.0.2.1", "a", "192.0.2.1"), ("a:::1", "a", "::1"),
            ("a=2001:db8::1", "a", "2001:db8::1"), ("a:[::1]", "a", "::1"), ("a:host-gateway", "a", "127.0.0.1"),
        ])
    func host(text: String, name: String, address: String) throws {
        let host = try HostArgument(parsing: text)
        #expect(host.name == name && host.address == address)
    }

    @Test(
        "--add-host refuses what is no name and address",
        arguments: [
            ("a", "it has no address"), (":1.2.3.4", "it has no address"), ("a:", "it has no address"),
            ("a:1.2.3", "'1.2.3' is no address"), ("a b:1.2.3.4", "'a b' is no host name"),
            ("a:b.test", "'b.test' is no address"), ("a:host-gatway", "'host-gatway' is no address"),
        ])
    func invalidHost(text: String, reason: String) throws {
        let error = #expect(throws: BuildError.self) { try HostArgument(parsing: text) }
        #expect(error?.message.contains(reason) == true)
    }

    @Test(
        "--ulimit",
        arguments: [
            ("nofile=1024", ResourceLimit(name: "nofile", soft: 1024, hard: 1024)),
            ("nofile=1:2", ResourceLimit(name: "nofile", soft: 1, hard: 2)),
            ("core=-1", ResourceLimit(name: "core", soft: .max, hard: .max)),
            ("memlock=0:-1", ResourceLimit(name: "memlock", soft: 0, hard: .max)),
        ])
    func limit(text: String, expected: ResourceLimit) throws {
        #expect(try LimitArgument(parsing: text).limit == expected)
    }

    @Test(
        "--ulimit refuses what is no limit",
        arguments: [
            ("nofile", "it has no value"), ("as=1", "there is no limit 'as'"), ("nofile=", "'' is no limit"),
            ("nofile=1:2:3", "'1:2:3' is no limit"), ("nofile=-2", "'-2' is no limit"),
            ("nofile=2:1", "the soft limit is above the hard one"),
            ("core=-1:5", "the soft limit is above the hard one"),
        ])
    func invalidLimit(text: String, reason: String) throws {
        let error = #expect(throws: BuildError.self) { try LimitArgument(parsing: text) }
        #expect(error?.message.contains(reason) == true)
    }

    @Test("--resource reads all names, with and without dashes")
    func resources() throws {
        var resources = StepResources()
        try ResourceArgument(parsing: "memory=2g,memory-swap=-1,cpu-shares=512,cpu-period=100000,cpu-quota=50000")
            .apply(
                to: &resources)
        try ResourceArgument(parsing: "cpuset-cpus=0,2-3,cpuset-mems=0").apply(to: &resources)
        var expected = StepResources()
        expected.memory = ByteCount(2 << 30)
        expected.memoryAndSwap = ByteCount(-1)
        expected.cpuShares = 512
        expected.cpuPeriod = 100_000
        expected.cpuQuota = 50_000
        expected.processors = "0,2-3"
        expected.memoryNodes = "0"
        #expect(resources == expected)
        var plain = StepResources()
        try ResourceArgument(parsing: "memswap=3g,cpuquota=1").apply(to: &plain)
        #expect(plain.memoryAndSwap == ByteCount(3 << 30) && plain.cpuQuota == 1)
    }

    @Test(
        "--resource refuses what is none",
        arguments: [
            ("memory", "'memory' has no value"), ("ram=1g", "there is no resource 'ram'"),
            ("memory=-1", "memory cannot be '-1'"),
            ("cpu-quota=x", "cpu-quota cannot be 'x'"), ("cpuset-cpus=a", "cpuset-cpus cannot be 'a'"),
            ("memory=1g,0", "'0' has no value"), ("", "it is empty"),
        ])
    func invalidResource(text: String, reason: String) {
        let error = #expect(throws: BuildError.self) {
            var resources = StepResources()
            try ResourceArgument(parsing: text).apply(to: &resources)
        }
        #expect(error?.message.contains(reason) == true)
    }
}
