internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// The files that a step gets from whittle: `/etc/hosts`, `/etc/resolv.conf` and secrets, in the step's bundle.
struct StepFiles {
    let directory: String
    private let process: StepProcess
    private let root: RootDirectory

    /// - Parameter directory: the step's bundle.
    init(_ process: StepProcess, in directory: String) throws(BuildError) {
        self.process = process
        self.directory = directory
        root = try RootDirectory(directory)
    }

    /// Writes the files.
    func write() throws(BuildError) {
        try root.writeFile("/hosts", Array(Self.hosts(for: process).utf8), mode: 0o644)
        try root.writeFile("/resolv.conf", try Self.nameServers(), mode: 0o644)
        if process.ownsHostFiles { try root.writeFile("/hostname", Array("\(process.hostname)\n".utf8), mode: 0o644) }
        for (index, mount) in process.mounts.enumerated() {
            guard case .secret(let secret, _, let uid, let gid, let mode) = mount else { continue }
            try root.writeFile(
                "/secret-\(index)", secret.revealed, mode: mode, owner: FileOwner(uid: uid, gid: gid))
        }
    }

    /// The mounts of the step, in the order in which it names them, after those of whittle's own files.
    ///
    /// For a step those are read-only, as in BuildKit: what it wrote to them would be lost without a word.
    var mounts: [RuntimeSpec.Mount] {
        let names = ["resolv.conf", "hosts"] + (process.ownsHostFiles ? ["hostname"] : [])
        let own = names.map { name in
            RuntimeSpec.Mount(
                "/etc/\(name)", type: "bind", source: "\(directory)/\(name)",
                options: ["rbind", process.ownsHostFiles ? "rw" : "ro"])
        }
        return own
            + process.mounts.enumerated().map { index, mount in
                switch mount {
                case .bind(let source, let target, let isReadOnly):
                    RuntimeSpec.Mount(
                        target, type: "bind", source: source,
                        // A person may show a device of this machine; a step gets files.
                        options: ["rbind", isReadOnly ? "ro" : "rw"] + (process.ownsHostFiles ? [] : ["nodev"]))
                case .tmpfs(let target, let size, let mode):
                    RuntimeSpec.Mount(
                        target, type: "tmpfs", source: "tmpfs",
                        options: ["nosuid"] + (size.map { ["size=\($0.bytes)"] } ?? [])
                            + (mode.map { ["mode=\(String($0, radix: 8))"] } ?? []))
                case .secret(_, let target, _, _, _):
                    RuntimeSpec.Mount(
                        target, type: "bind", source: "\(directory)/secret-\(index)",
                        options: ["bind", "ro", "nosuid", "nodev", "noexec"])
                case .socket(let path, let target):
                    RuntimeSpec.Mount(
                        target, type: "bind", source: path, options: ["bind", "ro", "nosuid", "nodev", "noexec"])
                }
            } + process.deviceMounts
    }

    /// Whether `mount` goes over a directory.
    func isDirectory(_ mount: RuntimeSpec.Mount) throws(BuildError) -> Bool {
        guard mount.type == "bind" else { return true }
        guard let status = try RootDirectory("/").status(of: mount.source) else {
            throw BuildError.fileSystem("mount", mount.source, .noSuchFileOrDirectory)
        }
        return status.isDirectory
    }

    /// The lines that BuildKit writes, so that files which hold them come out the same.
    static func hosts(for process: StepProcess) -> String {
        var text = "127.0.0.1\tlocalhost \(process.hostname)\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        for host in process.extraHosts { text += "\(host.address)\t\(host.name)\n" }
        return text
    }

    /// This machine's own list. It is right for steps as it is, also where it names a resolver on the loopback
    /// (systemd-resolved): they share the network of this machine, or have none.
    private static func nameServers() throws(BuildError) -> [UInt8] {
        try RootDirectory("/").bytes(ofFileAt: "/etc/resolv.conf", limit: 1 << 20) ?? []
    }
}
