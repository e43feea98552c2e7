/// An architecture whose programs a kernel runs, with its own numbers for system calls.
package enum SeccompArchitecture: Int, CaseIterable, Sendable {
    // In the order of the table's columns.
    case x64, x86, x32, arm64, arm

    /// All whose programs run on a kernel for this program's architecture; empty where the table has no numbers.
    package static let native: [SeccompArchitecture] = {
        #if arch(x86_64)
            [.x64, .x86, .x32]
        #elseif arch(arm64)
            [.arm64, .arm]
        #else
            []
        #endif
    }()

    /// The name in the OCI runtime specification.
    var name: String {
        switch self {
        case .x64: "SCMP_ARCH_X86_64"
        case .x86: "SCMP_ARCH_X86"
        case .x32: "SCMP_ARCH_X32"
        case .arm64: "SCMP_ARCH_AARCH64"
        case .arm: "SCMP_ARCH_ARM"
        }
    }

    /// `AUDIT_ARCH_*` of linux/audit.h. x32 shares that of x86-64.
    var auditToken: UInt32 {
        switch self {
        case .x64, .x32: 0xc000_003e
        case .x86: 0x4000_0003
        case .arm64: 0xc000_00b7
        case .arm: 0x4000_0028
        }
    }

    /// What is added to the table's numbers.
    var numberBase: UInt32 { self == .x32 ? 0x4000_0000 : 0 }

    /// Where numbers begin that are not counted on as new calls come: x32's own, and those of ARM.
    var privateNumbers: UInt32 { self == .x32 ? 512 : 0x0f_0000 }
}
