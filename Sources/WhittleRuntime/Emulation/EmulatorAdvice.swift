internal import WhittleCore
internal import WhittleFileSystem

/// How to get an emulator, by what this machine has already.
struct EmulatorAdvice {
    private let platform: Platform
    private let exists: (String) -> Bool

    init(for platform: Platform, exists: @escaping (String) -> Bool = Self.isThere) {
        self.platform = platform
        self.exists = exists
    }

    var text: String {
        let elsewhere = "or do the work on this machine's platform: FROM --platform=$BUILDPLATFORM"
        guard let name = qemuName else { return "run the step on a machine that is \(platform), \(elsewhere)" }
        let description = "/usr/lib/binfmt.d/qemu-\(name).conf"
        guard exists("/usr/bin/qemu-\(name)-static") else {
            return
                "install one with 'apt install qemu-user-static', or with 'docker run --privileged --rm tonistiigi/binfmt "
                + "--install \(platform.architecture)'; \(elsewhere)"
        }
        guard exists(description) else {
            return "qemu-\(name)-static is installed, but not registered: 'update-binfmts --enable qemu-\(name)' or "
                + "'systemctl restart systemd-binfmt' do that; \(elsewhere)"
        }
        let directory = "/proc/sys/fs/binfmt_misc"
        let mount = exists(directory + "/register") ? "" : "mount -t binfmt_misc none \(directory) && "
        return "qemu-\(name)-static is installed, but not registered; as root: '\(mount)cat \(description) > "
            + "\(directory)/register'; \(elsewhere)"
    }

    /// What qemu calls the processor.
    private var qemuName: String? {
        switch platform.architecture {
        case "386": "i386"
        case "amd64": "x86_64"
        case "arm", "mips", "mipsle", "mips64", "ppc64", "ppc64le", "riscv64", "s390x":
            ["mipsle": "mipsel"][platform.architecture] ?? platform.architecture
        case "arm64": "aarch64"
        case "loong64": "loongarch64"
        case "mips64le": "mips64el"
        default: nil
        }
    }

    private static func isThere(_ path: String) -> Bool {
        // What cannot be looked at does not help.
        (try? Syscall.status(path, followingLinks: true)) != nil
    }
}
