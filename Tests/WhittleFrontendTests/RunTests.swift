import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph

@Suite("RUN")
struct RunTests {
    private func exec(_ lines: String, _ options: BuildOptions = BuildOptions()) async throws -> ExecOp {
        try #require(try await lower("FROM alpine\n" + lines, options).execs.last)
    }

    struct Command: Sendable, CustomTestStringConvertible {
        let lines: String
        let arguments: [String]
        let history: String
        var testDescription: String { lines.replacing("\n", with: "↵") }
    }

    static let commands: [Command] = [
        Command(
            lines: "RUN npm ci", arguments: ["/bin/sh", "-c", "npm ci"], history: "RUN /bin/sh -c npm ci # buildkit"),
        Command(
            lines: "RUN npm ci # Install", arguments: ["/bin/sh", "-c", "npm ci # Install"],
            history: "RUN /bin/sh -c npm ci # Install # buildkit"),
        Command(
            lines: #"RUN ["npm", "run build"]"#, arguments: ["npm", "run build"],
            history: "RUN npm run build # buildkit"),
        Command(
            lines: "SHELL [\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\"]\nRUN a | b",
            arguments: ["/bin/bash", "-eo", "pipefail", "-c", "a | b"],
            history: "RUN /bin/bash -eo pipefail -c a | b # buildkit"),
        Command(
            lines: "RUN a && \\\n    # comment\n    b", arguments: ["/bin/sh", "-c", "a &&     b"],
            history: "RUN /bin/sh -c a &&     b # buildkit"),
        Command(
            lines: "RUN <<EOF\necho $A\necho b\nEOF", arguments: ["/bin/sh", "-c", "echo $A\necho b\n"],
            history: "RUN /bin/sh -c echo $A\necho b\n # buildkit"),
        Command(
            lines: "RUN <<-'EOF'\n\t\techo a\n\tEOF", arguments: ["/bin/sh", "-c", "echo a\n"],
            history: "RUN /bin/sh -c echo a\n # buildkit"),
        Command(
            lines: "RUN <<EOF\n#!/bin/awk -f\nBEGIN\nEOF", arguments: ["/bin/sh", "-c", "/dev/pipes/EOF"],
            history: "RUN /bin/sh -c /dev/pipes/EOF # buildkit"),
        Command(
            lines: "RUN <<EOF cat >/a\nx\nEOF", arguments: ["/bin/sh", "-c", "<<EOF cat >/a\nx\nEOF"],
            history: "RUN /bin/sh -c <<EOF cat >/a\nx\nEOF # buildkit"),
        Command(
            lines: "RUN cat <<A <<-B\none\nA\n\ttwo\n\tB",
            arguments: ["/bin/sh", "-c", "cat <<A <<-B\none\nA\n\ttwo\nB"],
            history: "RUN /bin/sh -c cat <<A <<-B\none\nA\n\ttwo\nB # buildkit"),
    ]

    @Test("runs the command with the shell, and tells the history", arguments: commands)
    func command(example: Command) async throws {
        let lowered = try await lower("FROM alpine\n" + example.lines)
        #expect(lowered.execs.last?.arguments == example.arguments)
        #expect(lowered.history.last == example.history)
    }

    @Test("a heredoc with a shebang is mounted as a program")
    func shebang() async throws {
        let lowered = try await lower("FROM alpine\nRUN <<EOF\n#!/bin/awk -f\nBEGIN\nEOF")
        let vertex = try #require(lowered.chain.last)
        guard case .exec(let exec) = vertex.op,
            case .bind(let input?, let source, let target, let isReadOnly) = exec.mounts.first
        else {
            Issue.record("no bind mount in \(vertex.op)")
            return
        }
        #expect(source == "/" && target == "/dev/pipes" && isReadOnly)
        guard case .file(let file) = try lowered.op(vertex.inputs[input]) else {
            Issue.record("the script is no file")
            return
        }
        #expect(
            file
                == FileOp(
                    base: nil,
                    actions: [
                        .makeFile(path: "/EOF", contents: Array("#!/bin/awk -f\nBEGIN\n".utf8), mode: 0o755, owner: nil)
                    ]))
        #expect(vertex.metadata.name == "[2/2] RUN <<EOF (#!/bin/awk -f...)")
    }

    @Test("the name of a step shows values, and keeps quotes and what the shell will know")
    func names() async throws {
        let lowered = try await lower("FROM alpine\nENV A=b\nrun echo \"$A\" '$A' $HOME", BuildOptions())
        #expect(lowered.chainNames.last == "[2/2] RUN echo \"b\" '$A' $HOME")
    }

    @Test("the name of a step is one line, whatever a variable holds")
    func controlCharacters() async throws {
        let lowered = try await lower(
            "FROM alpine\nARG A\nRUN echo $A", BuildOptions(buildArguments: ["A": "x\n\u{1b}[31my"]))
        #expect(lowered.chainNames.last == "[2/2] RUN echo x  [31my")
    }

    @Test("a heredoc behind flags is a script as well")
    func heredocBehindFlags() async throws {
        let exec = try await exec("RUN --mount=type=tmpfs,target=/t --network=none <<EOF\na\nEOF")
        #expect(exec.arguments.last == "a\n")
        #expect(exec.mounts.map(\.target) == ["/t"])
    }

    @Test("a step has the user, the directory and the variables of its place")
    func surroundings() async throws {
        let exec = try await exec("ENV A=1\nUSER app:staff\nWORKDIR /srv\nWORKDIR sub/\nRUN true")
        #expect(exec.user == "app:staff")
        #expect(exec.workingDirectory == "/srv/sub")
        #expect(exec.environment == ["PATH=/bin", "A=1"])
        #expect(exec.rootInput == 0)
    }

    @Test("a step on scratch has no root input")
    func scratch() async throws {
        let lowered = try await lower("FROM scratch\nRUN [\"/a\"]")
        #expect(lowered.execs.first?.rootInput == nil)
        #expect(lowered.execs.first?.environment.first?.hasPrefix("PATH=/usr/local/sbin:") == true)
        #expect(lowered.execs.first?.workingDirectory == "/")
    }

    @Test(
        "the network is the flag's, else the build's",
        arguments: [
            ("RUN a", NetworkMode.host, NetworkMode.host), ("RUN a", .none, .none),
            ("RUN --network=none a", .host, .none), ("RUN --network=host a", .none, .host),
            ("RUN --network=default a", .none, .none),
        ])
    func network(line: String, standard: NetworkMode, expected: NetworkMode) async throws {
        var options = BuildOptions(network: standard)
        options.entitlements.insert(.hostNetwork)
        #expect(try await exec(line, options).network == expected)
    }

    @Test("rights that are allowed are used")
    func rights() async throws {
        var options = BuildOptions()
        options.entitlements = try Entitlements(
            parsing: ["security.insecure,device=v.com/a=1,alias=gpu", "device=v.com/b=2"])
        let op = try await exec("RUN --security=insecure --device=gpu --device=v.com/b=2,required a", options)
        #expect(op.security == .insecure)
        #expect(
            op.devices == [
                DeviceRequest(name: "v.com/a=1", isRequired: false), DeviceRequest(name: "v.com/b=2"),
            ])
        await #expect(throws: BuildError.self) { try await exec("RUN --device=v.com/a=1 a", options) }
        options.entitlements = try Entitlements(parsing: ["device"])
        #expect(try await exec("RUN --device=v.com/any a", options).devices.map(\.name) == ["v.com/any"])
    }

    @Test(
        "a right that does not exist is refused",
        arguments: [
            ("network.hots", "did you mean 'network.host'?"), ("device=", "write device=VENDOR/CLASS=NAME"),
            ("everything", "it is one of security.insecure, network.host, device, device=NAME"),
        ])
    func unknownRight(text: String, hint: String) throws {
        let error = #expect(throws: BuildError.self) { try Entitlements(parsing: [text]) }
        #expect(error?.code == .invalidEntitlement && error?.hint == hint)
    }

    @Test("what is set for all steps counts in the digest, but for addresses and where nothing is set")
    func settings() async throws {
        func digest(_ change: (inout BuildOptions) -> Void) async throws -> Digest {
            var options = BuildOptions()
            change(&options)
            let lowered = try await lower("FROM alpine\nRUN a", options)
            return try #require(lowered.chain.last).op.keyDigest
        }
        let plain = try await digest { _ in }
        let first = try await digest { $0.steps.extraHosts = [HostEntry(name: "a", address: "192.0.2.1")] }
        let second = try await digest { $0.steps.extraHosts = [HostEntry(name: "a", address: "192.0.2.2")] }
        #expect(first == second && first != plain)
        #expect(try await digest { $0.steps.sharedMemory = 1 << 20 } != plain)
        #expect(try await digest { $0.steps.limits = [ResourceLimit(name: "core", soft: 0, hard: 0)] } != plain)
        #expect(try await digest { $0.buildArguments["BUILDKIT_SANDBOX_HOSTNAME"] = "h" } != plain)
    }

    // MARK: Mounts

    struct Mount: Sendable, CustomTestStringConvertible {
        let flag: String
        let mount: ExecMount
        var testDescription: String { flag }
    }

    /// Input 0 is the root file system, input 1 what the mount names.
    static let mounts: [Mount] = [
        Mount(flag: "target=/c", mount: .bind(input: 1, source: "/", target: "/c", isReadOnly: true)),
        Mount(
            flag: "type=bind,source=a/../b,target=c,rw",
            mount: .bind(input: 1, source: "/b", target: "/work/c", isReadOnly: false)),
        Mount(
            flag: "from=other,src=/x,dst=/y", mount: .bind(input: 1, source: "/x", target: "/y", isReadOnly: true)),
        Mount(flag: "from=scratch,dst=/y", mount: .bind(input: nil, source: "/", target: "/y", isReadOnly: true)),
        Mount(flag: "target=$DIR", mount: .bind(input: 1, source: "/", target: "/dir", isReadOnly: true)),
        Mount(
            flag: "type=cache,target=/root/.npm", mount: .cache(CacheMount(id: "/root/.npm", target: "/root/.npm"))),
        Mount(
            flag: "type=cache,target=cache/,id=npm,sharing=locked,uid=5,gid=6,mode=0700",
            mount: .cache(
                CacheMount(id: "npm", target: "/work/cache", sharing: .locked, uid: 5, gid: 6, mode: 0o700))),
        Mount(
            flag: "type=cache,target=/c,from=other,source=seed,sharing=private,ro",
            mount: .cache(
                CacheMount(id: "/c", target: "/c", sharing: .private, isReadOnly: true, input: 1, source: "/seed"))),
        Mount(flag: "type=tmpfs,target=/t", mount: .tmpfs(target: "/t", size: nil)),
        Mount(flag: "type=tmpfs,target=/t,size=64m", mount: .tmpfs(target: "/t", size: 64 << 20)),
        Mount(
            flag: "type=secret,id=key", mount: .secret(SecretMount(id: "key", target: "/run/secrets/key"))),
        Mount(
            flag: "type=secret,id=dir/key,required",
            mount: .secret(SecretMount(id: "dir/key", target: "/run/secrets/key", isRequired: true))),
        Mount(
            flag: "type=secret,target=/etc/token,uid=1,gid=2,mode=0440",
            mount: .secret(SecretMount(id: "token", target: "/etc/token", uid: 1, gid: 2, mode: 0o440))),
        Mount(
            flag: "type=secret,id=key,target=token",
            mount: .secret(SecretMount(id: "key", target: "/work/token"))),
        Mount(flag: "type=ssh", mount: .ssh(SSHMount(target: "/run/buildkit/ssh_agent.0"))),
        Mount(
            flag: "type=ssh,id=github,required,target=agent,uid=1,gid=2,mode=0666",
            mount: .ssh(
                SSHMount(id: "github", target: "/work/agent", isRequired: true, uid: 1, gid: 2, mode: 0o666))),
    ]

    @Test("a mount is lowered with its defaults", arguments: mounts)
    func mount(example: Mount) async throws {
        let text = """
            FROM busybox AS other
            RUN true
            FROM alpine
            WORKDIR /work
            ENV DIR=/dir
            RUN --mount=\(example.flag) true
            """
        let lowered = try await lower(text)
        #expect(lowered.execs.last?.mounts == [example.mount])
    }

    @Test("mounts keep their order and share inputs")
    func mountOrder() async throws {
        let text = """
            FROM alpine
            RUN --mount=target=/a --mount=type=tmpfs,target=/t --mount=target=/b,source=x true
            """
        let lowered = try await lower(text)
        #expect(lowered.execs.last?.mounts.map(\.target) == ["/a", "/t", "/b"])
        #expect(lowered.chain.last?.inputs.count == 2)
        #expect(lowered.plan.localSources == ["context"])
    }

    @Test("the first ssh mount is the agent that programs find, unless the stage has one")
    func agentVariable() async throws {
        let two = try await exec("RUN --mount=type=ssh,id=a --mount=type=ssh,id=b true")
        #expect(two.mounts.map(\.target) == ["/run/buildkit/ssh_agent.0", "/run/buildkit/ssh_agent.1"])
        #expect(two.environment.last == "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0")
        let placed = try await exec("RUN --mount=type=ssh,target=/agent true")
        #expect(placed.environment.last == "SSH_AUTH_SOCK=/agent")
        let own = try await exec("ENV SSH_AUTH_SOCK=/mine\nRUN --mount=type=ssh true")
        #expect(own.environment.filter { $0.hasPrefix("SSH_AUTH_SOCK=") } == ["SSH_AUTH_SOCK=/mine"])
        #expect(try await !exec("RUN true").environment.contains { $0.hasPrefix("SSH_AUTH_SOCK=") })
    }

    @Test("a secret as a variable is no file, unless it has a target")
    func secretVariables() async throws {
        let lowered = try await lower("FROM alpine\nRUN --mount=type=secret,id=key,env=TOKEN echo $TOKEN")
        let exec = try #require(lowered.execs.last)
        #expect(exec.mounts.isEmpty)
        #expect(exec.secretEnvironment == [SecretVariable(id: "key", name: "TOKEN")])
        #expect(lowered.chainNames.last?.hasSuffix("echo ****") == true)
        #expect(lowered.history.last == "RUN /bin/sh -c echo $TOKEN # buildkit")
        let both = try await self.exec("RUN --mount=type=secret,id=key,env=,target=/k,required=true true")
        #expect(both.secretEnvironment == [SecretVariable(id: "key", name: "key", isRequired: true)])
        #expect(both.mounts == [.secret(SecretMount(id: "key", target: "/k", isRequired: true))])
    }

    @Test("cache mounts stay apart by namespace")
    func cacheNamespace() async throws {
        let options = BuildOptions(buildArguments: ["BUILDKIT_CACHE_MOUNT_NS": "project"])
        let exec = try await exec("RUN --mount=type=cache,target=/c true", options)
        #expect(exec.mounts == [.cache(CacheMount(id: "project//c", target: "/c"))])
    }
}
