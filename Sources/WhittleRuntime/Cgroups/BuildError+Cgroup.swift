internal import SystemPackage
public import WhittleCore
internal import WhittleFileSystem

extension BuildError.Code {
    /// The resources of steps cannot be limited as they are to be.
    public static let resourceLimits = BuildError.Code(rawValue: "resource-limits")
}

extension BuildError {
    static func noControlGroups() -> BuildError {
        BuildError(
            .resourceLimits, "cannot limit the resources of a step: there are no control groups to be used",
            hint: StartingUser.isRoot
                ? "mount them at /sys/fs/cgroup, or build without --resource and --cgroup-parent"
                : "an ordinary user needs control groups v2; run whittle as root, or build without --resource")
    }

    static func missingController(_ controller: String) -> BuildError {
        BuildError(
            .resourceLimits, "cannot limit the resources of a step: this machine has no controller '\(controller)'",
            hint: "leave out the limit, or enable the controller in the kernel")
    }

    static func controlGroup(_ operation: String, _ path: String, _ error: Errno) -> BuildError {
        BuildError(
            .resourceLimits, "cannot \(operation) the control group '\(printable(path))': \(sentence(error))",
            hint: hint(error))
    }

    static func resourceRefused(_ setting: StepResources.Setting, _ path: String, _ error: Errno) -> BuildError {
        let hint: String? =
            switch error {
            case .invalidArgument, .outOfRange: "the kernel does not take this value here"
            case .noSuchFileOrDirectory where setting.file.contains("swap") || setting.file.contains("memsw"):
                "this kernel does not count swap; leave out memory-swap"
            case .noSuchFileOrDirectory: "the controller '\(setting.controller)' is not enabled in the group above"
            case .resourceBusy:
                "the group has processes of its own: name another one with --cgroup-parent, one without"
            default: hint(error)
            }
        let value = setting.value.split(separator: "\n").joined(separator: " ")
        return BuildError(
            .resourceLimits,
            "cannot limit the resources of a step: writing '\(value)' to '\(printable(path))': \(sentence(error))",
            hint: hint)
    }

    private static func hint(_ error: Errno) -> String? {
        guard [.permissionDenied, .notPermitted, .readOnlyFileSystem].contains(error) else { return nil }
        return StartingUser.isRoot
            ? "the control groups of this machine or container are read-only; build without --resource"
            : "an ordinary user needs a group that was given to him: name it with --cgroup-parent, or run whittle as root"
    }
}
