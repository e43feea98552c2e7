package import WhittleCore
package import WhittleRuntime

/// What a container is to be: an image, and what differs from it.
package struct ContainerRequest: Sendable {
    /// A name, or the beginning of an ID, as `ImageStoreReader` finds it.
    package var image: String
    /// `nil` for this machine's; another one is tried, which works where the kernel has an emulator for it.
    package var platform: Platform?
    /// In the place of the image's command; empty for that.
    package var arguments: [String] = []
    /// In the place of the image's entrypoint, whose command then does not count either; an empty list has none.
    package var entrypoint: [String]?
    /// `NAME=VALUE`, over that of the image.
    package var environment: [String] = []
    /// `nil` for the image's.
    package var workingDirectory: String?
    /// `nil` for the image's.
    package var user: String?
    /// Excludes other containers of this store with the same name.
    package var name: String?
    package var hostname: String?
    package var network: StepProcess.Network = .host
    package var security: StepProcess.Security = .sandbox
    package var capabilities = StepProcess.CapabilityChange()
    package var isRootReadOnly = false
    package var extraHosts: [StepProcess.HostAddress] = []
    package var mounts: [ContainerMount] = []
    /// Name or path of the OCI runtime.
    package var runtime: String

    package init(image: String, runtime: String) {
        self.image = image
        self.runtime = runtime
    }
}

/// Something that a container finds in its file system beside its image.
package enum ContainerMount: Hashable, Sendable {
    /// A file or directory of this machine.
    case bind(source: String, target: String, isReadOnly: Bool, createsSource: Bool)
    /// A directory of the store that stays, or, without a name, one that goes with the container. A new one begins with
    /// what the image has at the target.
    case volume(name: String?, target: String, isReadOnly: Bool)
    /// A directory in memory.
    case tmpfs(target: String, size: ByteCount?, mode: UInt32?)

    /// Absolute, in the container.
    package var target: String {
        switch self {
        case .bind(_, let target, _, _), .volume(_, let target, _), .tmpfs(let target, _, _): target
        }
    }
}
