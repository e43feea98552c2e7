/// Which system calls a process in a container may make. A call that has no grant is refused with `EPERM`.
package struct SeccompProfile: Hashable, Sendable {
    /// What each call gets, by the name that the kernel gives it.
    package var grants: [String: Grant]

    package init(grants: [String: Grant]) { self.grants = grants }

    package enum Grant: Hashable, Sendable {
        case allow
        /// Allowed where the condition holds, refused with `EPERM` otherwise.
        case allowIf(Condition)
        /// Refused with this errno.
        case refuse(errno: UInt16)
    }

    /// A test of one argument, counted from 0; the kernel does not show filters what pointers point to.
    package enum Condition: Hashable, Sendable {
        /// The argument, as 64 bits, is in one of the ranges, which are in order and apart.
        case among(argument: Int, [ClosedRange<UInt32>])
        /// None of the bits of `mask` is set.
        case noBits(argument: Int, mask: UInt32)
    }
}

extension SeccompProfile {
    /// The default profile of Docker Engine for a process that has `capabilities`, see ``SeccompTable``.
    package static func containerDefault(capabilities: Set<Capability>) -> SeccompProfile {
        var grants: [String: Grant] = [:]
        for row in SeccompTable.rows {
            switch row.condition {
            case .always: grants[row.name] = .allow
            case .capabilities(let any): if !capabilities.isDisjoint(with: any) { grants[row.name] = .allow }
            case .conditional: break
            }
        }
        grants["personality"] = .allowIf(.among(argument: 0, personalities))
        grants["socket"] = .allowIf(.among(argument: 0, socketDomains))
        // Docker lets a container make device nodes, and its device cgroup keeps them from being opened. Without one, a
        // node would be the disk of this machine: only FIFOs, sockets and files can be made.
        grants["mknod"] = .allowIf(.noBits(argument: 1, mask: deviceBit))
        grants["mknodat"] = .allowIf(.noBits(argument: 2, mask: deviceBit))
        if capabilities.contains(.sysAdmin) {
            grants["clone"] = .allow
            grants["clone3"] = .allow
        } else {
            grants["clone"] = .allowIf(.noBits(argument: 0, mask: namespaceFlags))
            // Its flags are behind a pointer. ENOSYS makes C libraries fall back to clone.
            grants["clone3"] = .refuse(errno: 38)
        }
        return SeccompProfile(grants: grants)
    }

    /// PER_LINUX, PER_LINUX32, each also with UNAME26, and the question which one it is.
    private static let personalities: [ClosedRange<UInt32>] = [
        0x0...0x0, 0x8...0x8, 0x20000...0x20000, 0x20008...0x20008, 0xffff_ffff...0xffff_ffff,
    ]

    /// All address families up to AF_MCTP but those that Linux has dropped (12 DECnet, 19 Econet, 20 ATMSVC, 23 IrDA,
    /// 25 WANPIPE, 34 ISDN, 37 CAIF), 38 ALG (the kernel's cryptography) and 40 VSOCK (reaches other machines of the
    /// host).
    private static let socketDomains: [ClosedRange<UInt32>] = [
        0...11, 13...18, 21...22, 24...24, 26...33, 35...36, 39...39, 41...45,
    ]

    /// What S_IFCHR (0o020000) and S_IFBLK (0o060000) have, and S_IFIFO, S_IFREG and S_IFSOCK have not.
    private static let deviceBit: UInt32 = 0o020000

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
    private static let namespaceFlags: UInt32 = 0x7e02_0000
}
