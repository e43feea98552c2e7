internal import WhittleCore
internal import WhittleFileSystem

/// A capability of Linux, by its name in the OCI runtime specification (`CAP_CHOWN`).
package struct Capability: RawRepresentable, Hashable, Sendable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package static let sysAdmin = Capability(rawValue: "CAP_SYS_ADMIN")

    /// What Docker gives a container that asks for nothing: CapEff 00000000a80425fb.
    package static let containerDefault: [Capability] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ].map(Capability.init(rawValue:))

    /// Every capability of Linux 5.9 and later, in the order of their numbers.
    package static let all: [Capability] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ].map(Capability.init(rawValue:))

    /// The capability that a person calls `text`: with or without `CAP_`, in any case. `nil` for one that Linux does not have.
    package init?(parsing text: String) {
        let name = text.uppercased()
        let capability = Capability(rawValue: name.hasPrefix("CAP_") ? name : "CAP_" + name)
        guard Self.all.contains(capability) else { return nil }
        self = capability
    }

    /// Those that this process has, and so can give to others. Root in a container has not all of them.
    package static let held: Set<Capability> = {
        let status: [UInt8]?
        do throws(BuildError) {
            status = try RootDirectory("/").bytes(ofFileAt: "/proc/self/status", limit: 1 << 16)
        } catch {
            status = nil
        }
        // Where /proc tells nothing, the runtime will say what it may not give.
        return status.flatMap(effective(inStatus:)) ?? Set(all)
    }()

    /// The effective set in `/proc/PID/status`: a line `CapEff:` with 64 bits in hexadecimal digits.
    static func effective(inStatus status: [UInt8]) -> Set<Capability>? {
        let mark = "CapEff:\t"
        guard
            let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first(where: {
                $0.hasPrefix(mark)
            }),
            let bits = UInt64(line.dropFirst(mark.count), radix: 16)
        else { return nil }
        return Set(all.enumerated().filter { bits >> UInt64($0.offset) & 1 == 1 }.map { $0.element })
    }
}
