public import WhittleGraph

/// What every step of a build is given besides its instruction.
public struct StepSettings: Hashable, Sendable {
    /// `--add-host`: added to `/etc/hosts`, in order.
    public var extraHosts: [HostEntry] = []
    /// `--shm-size`: the size of `/dev/shm` in bytes; `nil` for the usual 64 MiB.
    public var sharedMemory: Int64?
    /// `--ulimit`.
    public var limits: [ResourceLimit] = []

    public init() {}
}
