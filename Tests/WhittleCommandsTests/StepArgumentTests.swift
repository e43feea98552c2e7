import Testing
import WhittleCore
import WhittleGraph

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
}
