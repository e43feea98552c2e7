import Testing
import WhittleCore
import WhittleOCI

@testable import WhittleRuntime

@Suite("RuntimeSpec")
struct RuntimeSpecTests {
    private static func document(
        _ process: StepProcess, user: ContainerUser = ContainerUser(uid: 0, gid: 0, home: "/root"),
        mounts: [RuntimeSpec.Mount] = [], seccomp: RuntimeSpec.SeccompForm = .none
    ) -> JSONValue {
        RuntimeSpec.container(for: process, root: "/r", user: user, mounts: mounts, held: Set(Capability.all))
            .document(seccomp: seccomp).revealed
    }

    private static func strings(_ value: JSONValue?) -> [String] { value?.array?.compactMap { $0.string } ?? [] }

    @Test("writes what a plain step runs under")
    func golden() {
        let process = StepProcess(arguments: ["/bin/sh", "-c", "true"], environment: ["A=b"])
        let document = Self.document(process, user: ContainerUser(uid: 5, gid: 6, additionalGroups: [7], home: "/h"))
        let capabilities =
            #"["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_MKNOD","CAP_NET_RAW","#
            + #""CAP_SETGID","CAP_SETUID","CAP_SETFCAP","CAP_SETPCAP","CAP_NET_BIND_SERVICE","CAP_SYS_CHROOT","#
            + #""CAP_KILL","CAP_AUDIT_WRITE"]"#
        #expect(
            document["process"]?.text(as: .compact)
                == #"{"terminal":false,"user":{"uid":5,"gid":6,"additionalGids":[6,7]},"args":["/bin/sh","-c","true"],"#
                + #""env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=b","HOME=/h"],"#
                + #""cwd":"/","capabilities":{"bounding":\#(capabilities),"effective":\#(capabilities),"#
                + #""permitted":\#(capabilities)},"noNewPrivileges":false}"#)
        #expect(document["root"]?.text(as: .compact) == #"{"path":"/r","readonly":false}"#)
        #expect(document["hostname"] == "buildkitsandbox")
        #expect(document["ociVersion"] == "1.0.2")
        #expect(document["annotations"] == nil)
        let linux = document["linux"]
        #expect(
            linux?["namespaces"]?.text(as: .compact)
                == #"[{"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"}]"#)
        let masked = Self.strings(linux?["maskedPaths"])
        #expect(masked.contains("/proc/kcore"))
        let readonly = Self.strings(linux?["readonlyPaths"])
        #expect(
            readonly == ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])
        #expect(linux?["seccomp"] == nil)
    }

    @Test("gives a step without network a namespace for it")
    func network() {
        let document = Self.document(StepProcess(arguments: ["x"], network: .none))
        let names = document["linux"]?["namespaces"]?.array?.compactMap { $0["type"]?.string }
        #expect(names == ["pid", "ipc", "uts", "mount", "network"])
    }

    @Test("hides nothing from an insecure step, and gives it every capability")
    func insecure() {
        let filter = SeccompFilter(.containerDefault(capabilities: []), for: [.x64])
        let document = Self.document(
            StepProcess(arguments: ["x"], security: .insecure), seccomp: filter.map { .program($0) } ?? .none)
        #expect(document["linux"]?["maskedPaths"] == [])
        #expect(document["linux"]?["readonlyPaths"] == [])
        #expect(document["annotations"] == nil)
        let capabilities = Self.strings(document["process"]?["capabilities"]?["effective"])
        #expect(capabilities.count == 41)
        let sys = document["mounts"]?.array?.first { $0["destination"] == "/sys" }
        #expect(Self.strings(sys?["options"]) == ["nosuid", "noexec", "nodev"])
    }

    @Test("gives no capability that there is not to give")
    func held() {
        let spec = RuntimeSpec.container(
            for: StepProcess(arguments: ["x"]), root: "/r", user: ContainerUser(uid: 0, gid: 0), mounts: [],
            held: [Capability(rawValue: "CAP_KILL"), .sysAdmin])
        #expect(spec.process.capabilities.map { $0.rawValue } == ["CAP_KILL"])
        let status = Array("Name:\tx\nCapEff:\t0000000000200020\n".utf8)
        #expect(Capability.effective(inStatus: status) == [Capability(rawValue: "CAP_KILL"), .sysAdmin])
        #expect(Capability.effective(inStatus: Array("CapEff:\tzz\n".utf8)) == nil)
    }

    @Test("leaves PATH and HOME as the image has them, also where a secret sets them")
    func environment() {
        let process = StepProcess(
            arguments: ["x"], environment: ["PATH=/p", "B=1"], secretEnvironment: Redacted(["HOME=/s", "T=t"]))
        #expect(Self.strings(Self.document(process)["process"]?["env"]) == ["PATH=/p", "B=1", "HOME=/s", "T=t"])
    }

    @Test("lets a secret replace a plain variable of its name")
    func secretWins() {
        let process = StepProcess(
            arguments: ["x"], environment: ["PATH=/p", "HOME=/h", "TOKEN=plain"],
            secretEnvironment: Redacted(["TOKEN=secret"]))
        #expect(
            Self.strings(Self.document(process)["process"]?["env"]) == ["PATH=/p", "HOME=/h", "TOKEN=secret"])
    }

    @Test("does not show secrets of the environment when printed")
    func redaction() {
        let process = StepProcess(arguments: ["x"], secretEnvironment: Redacted(["T=hunter2"]))
        let spec = RuntimeSpec.container(
            for: process, root: "/r", user: ContainerUser(uid: 0, gid: 0), mounts: [])
        var dumped = ""
        dump(spec, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(spec)".contains("hunter2"))
        #expect(!"\(spec.document(seccomp: .none))".contains("hunter2"))
    }

    @Test("mounts parents before what is in them, and otherwise keeps the order")
    func mountOrder() {
        let mounts = ["/a/b", "/proc/x", "/a", "/c"].map {
            RuntimeSpec.Mount($0, type: "tmpfs", source: "tmpfs", options: [])
        }
        let targets = Self.document(StepProcess(arguments: ["x"]), mounts: mounts)["mounts"]?.array?
            .compactMap { $0["destination"]?.string }
        #expect(
            targets == ["/proc", "/dev", "/sys", "/a", "/c", "/dev/pts", "/dev/shm", "/dev/mqueue", "/a/b", "/proc/x"])
    }

    @Test("writes the profile as rules for runtimes that compile it themselves")
    func rules() throws {
        let seccomp = try #require(Self.document(StepProcess(arguments: ["x"]), seccomp: .rules)["linux"]?["seccomp"])
        #expect(seccomp["defaultAction"] == "SCMP_ACT_ERRNO")
        #expect(seccomp["defaultErrnoRet"] == 1)
        let syscalls = try #require(seccomp["syscalls"]?.array)
        let allowed = Self.strings(syscalls[0]["names"])
        #expect(allowed.contains("openat") && allowed.contains("chroot"))
        #expect(!allowed.contains("mount") && !allowed.contains("socket") && !allowed.contains("clone"))
        func rules(_ name: String) -> [String] {
            syscalls.dropFirst().filter { Self.strings($0["names"]) == [name] }.map { $0.text(as: .compact) }
        }
        #expect(rules("clone3") == [#"{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#])
        #expect(
            rules("clone") == [
                #"{"names":["clone"],"action":"SCMP_ACT_ALLOW","#
                    + #""args":[{"index":0,"value":2114060288,"op":"SCMP_CMP_MASKED_EQ","valueTwo":0}]}"#
            ])
        // 0…11 in one rule, then 13…18, 21, 22, 24, 26…33, 35, 36, 39 and 41…45.
        #expect(rules("socket").count == 1 + 6 + 2 + 1 + 8 + 2 + 1 + 5)
        #expect(rules("personality").count == 5)
    }

    @Test("writes a compiled profile as crun's annotation")
    func annotation() throws {
        let filter = try #require(SeccompFilter(.containerDefault(capabilities: []), for: [.x64]))
        let document = Self.document(StepProcess(arguments: ["x"]), seccomp: .program(filter))
        #expect(document["linux"]?["seccomp"] == nil)
        let text = try #require(document["annotations"]?["run.oci.seccomp_bpf_data"]?.string)
        #expect(Base64.decode(text) == filter.bytes)
    }

    @Test("writes limits and the OOM adjustment where they are given")
    func limits() {
        var spec = RuntimeSpec.container(
            for: StepProcess(arguments: ["x"]), root: "/r", user: ContainerUser(uid: 0, gid: 0), mounts: [])
        spec.process.limits = ["RLIMIT_NOFILE": RuntimeSpec.Limit(soft: 10, hard: .max)]
        spec.process.oomScoreAdjustment = -5
        spec.process.noNewPrivileges = true
        let process = spec.document(seccomp: .none).revealed["process"]
        #expect(
            process?["rlimits"]?.text(as: .compact)
                == #"[{"type":"RLIMIT_NOFILE","soft":10,"hard":18446744073709551615}]"#)
        #expect(process?["oomScoreAdj"] == -5)
        #expect(process?["noNewPrivileges"] == true)
    }
}
