package import WhittleCore
internal import WhittleOCI

/// One process to run in a root file system: what a `RUN` asks for.
package struct StepProcess: Sendable {
    /// The program, found through `PATH` in the container unless it has a `/`, and its arguments. Not empty.
    package var arguments: [String]
    /// `NAME=value`. `PATH` and `HOME` are added where they are missing.
    package var environment: [String]
    /// Secrets in the environment: `NAME=value`. They reach the process and nothing else.
    package var secretEnvironment: Redacted<[String]>
    /// Absolute, in the container; made, with the user as its owner, where it is missing.
    package var workingDirectory: String
    /// As `USER` writes it, see ``UserResolver``; empty for root.
    package var user: String
    package var hostname: String
    package var network: Network
    package var security: Security
    package var mounts: [StepMount]
    /// Added to `/etc/hosts`, in order.
    package var extraHosts: [HostAddress]
    /// Given beside those that ``security`` stands for, and taken from them.
    package var capabilities = CapabilityChange()
    /// Whether only what is mounted can be written.
    package var isRootReadOnly = false
    /// Whether `/etc/hosts`, `/etc/resolv.conf` and `/etc/hostname` are its own, to be written, as in a container of
    /// Docker; a step of a build finds the first two, and cannot write them.
    package var ownsHostFiles = false
    /// The size of `/dev/shm`; `nil` for Docker's 64 MiB.
    package var sharedMemory: ByteCount?
    /// By the names of getrlimit(2) (`RLIMIT_NOFILE`); what is not named is that of this process.
    package var limits: [String: RuntimeSpec.Limit] = [:]
    /// What its processes may use together.
    package var resources = StepResources()
    /// Nodes that are made in `/dev`, beside the usual ones.
    package var devices: [RuntimeSpec.Device] = []
    /// Mounts that devices bring, in the runtime's own form; after all others.
    package var deviceMounts: [RuntimeSpec.Mount] = []
    /// Programs of this machine that the runtime starts, as `hooks` of the runtime specification has them, by their moment.
    var hooks: [String: [JSONValue]] = [:]
    /// Groups of the user beside those that the image's files give.
    var additionalGroups: [UInt32] = []
    /// Whether users other than root have the capabilities too, as in a privileged step of BuildKit.
    package var givesCapabilitiesToUsers = false

    package init(
        arguments: [String], environment: [String] = [], secretEnvironment: Redacted<[String]> = Redacted([]),
        workingDirectory: String = "/", user: String = "", hostname: String = StepProcess.defaultHostname,
        network: Network = .host, security: Security = .sandbox, mounts: [StepMount] = [],
        extraHosts: [HostAddress] = []
    ) {
        self.arguments = arguments
        self.environment = environment
        self.secretEnvironment = secretEnvironment
        self.workingDirectory = workingDirectory
        self.user = user
        self.hostname = hostname
        self.network = network
        self.security = security
        self.mounts = mounts
        self.extraHosts = extraHosts
    }

    /// The host name that BuildKit gives its steps; files that hold it come out the same.
    package static let defaultHostname = "buildkitsandbox"

    /// What of the network a process sees.
    package enum Network: Hashable, Sendable {
        /// The network of this machine.
        case host
        /// A loopback interface and nothing else.
        case none
    }

    /// What a process may do.
    package enum Security: Hashable, Sendable {
        /// As a container of Docker that asks for nothing.
        case sandbox
        /// All capabilities and system calls, nothing hidden.
        case insecure
    }

    /// What `--cap-add` and `--cap-drop` say.
    package struct CapabilityChange: Hashable, Sendable {
        package var added: Set<Capability> = []
        package var dropped: Set<Capability> = []

        package init(added: Set<Capability> = [], dropped: Set<Capability> = []) {
            self.added = added
            self.dropped = dropped
        }
    }

    /// A line of `/etc/hosts`.
    package struct HostAddress: Hashable, Sendable {
        package var name: String
        package var address: String

        package init(name: String, address: String) {
            self.name = name
            self.address = address
        }
    }
}

/// Something that a step finds in its file system, and that does not become part of its layer.
package enum StepMount: Sendable {
    /// A file or directory of this machine: of a snapshot, or a cache. What a step writes to it stays there.
    case bind(source: String, target: String, isReadOnly: Bool)
    /// An empty directory in memory; `nil` leaves its size (half of the memory) and its mode (1777) to the kernel.
    case tmpfs(target: String, size: ByteCount?, mode: UInt32? = nil)
    /// A file with these bytes, in memory, gone after the step.
    case secret(Redacted<[UInt8]>, target: String, uid: UInt32 = 0, gid: UInt32 = 0, mode: UInt32 = 0o400)
    /// A socket of this machine, with the owner and mode that it has.
    case socket(path: String, target: String)

    /// Absolute, in the container.
    package var target: String {
        switch self {
        case .bind(_, let target, _), .tmpfs(let target, _, _), .secret(_, let target, _, _, _),
            .socket(_, let target):
            target
        }
    }
}
