internal import WhittleCore

/// A program that runs containers by the OCI runtime specification.
///
/// Safe to call from many threads at once, with a bundle each.
package protocol OCIRuntime: Sendable {
    /// What messages call it: `crun`.
    var name: String { get }

    /// Runs a container from its start to its end, and leaves nothing of it behind. Blocks the calling thread.
    ///
    /// - Parameters:
    ///   - bundle: an existing directory; `config.json` and the runtime's log are written there.
    ///   - attachment: the input, terminal and signals of the container's first process; `nil` gives it no input.
    ///   - cancellation: once raised, the container is brought to its end (``Teardown``).
    ///   - receive: gets what the container's processes write, on the calling thread, in the order of each stream. The
    ///     next chunk is read when it has returned. What a terminal shows comes as standard output.
    /// - Returns: how the container's first process ended, also after a cancellation.
    /// - Throws: `BuildError` (`runtime-failed`, `executable-not-found`, `executable-refused`, `file-system`) where the
    ///   process did not begin to run.
    func run(
        _ bundle: RuntimeBundle, attachment: ProcessAttachment?, cancellation: CancellationSignal,
        receive: (StepOutput) -> Void
    ) throws -> StepExit
}

/// A container to run.
package struct RuntimeBundle: Sendable {
    /// Unique on this machine: runtimes may name things after it that others see.
    package var identifier: String
    /// A directory for this container alone.
    package var directory: String
    package var spec: RuntimeSpec
    /// The control groups of the container; `nil` where it stays in those of this process.
    var cgroup: StepCgroup?

    package init(identifier: String, directory: String, spec: RuntimeSpec) {
        self.identifier = identifier
        self.directory = directory
        self.spec = spec
    }
}

/// How the process of a step ended.
package struct StepExit: Hashable, Sendable {
    /// 0…255; 128 and the number of the signal for a process that a signal ended.
    package var code: Int32
    /// Whether a process was ended because the step reached its limit of memory.
    package var isOutOfMemory = false

    package init(code: Int32) { self.code = code }

    /// Whether the step did what it should.
    package var isSuccess: Bool { code == 0 }
}
