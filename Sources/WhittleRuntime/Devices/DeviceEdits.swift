internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

/// What a device of the Container Device Interface changes in a container.
///
/// Format: CDI specification 1.0, "containerEdits".
struct DeviceEdits {
    private let edits: JSONValue
    /// `vendor.com/class=name`, or the file for what all its devices share.
    private let owner: String

    init(_ edits: JSONValue, of owner: String) {
        self.edits = edits
        self.owner = owner
    }

    /// - Throws: `device-unusable`.
    func apply(to process: inout StepProcess) throws(BuildError) {
        let known = ["env", "deviceNodes", "mounts", "hooks", "additionalGids"]
        if let member = edits.object?.keys.first(where: { !known.contains($0) }) {
            throw .deviceUnusable(owner, "it needs '\(member)', which whittle does not do")
        }
        for value in edits["env"]?.array ?? [] {
            guard let variable = value.string, variable.contains("=") else {
                throw .deviceUnusable(owner, "its 'env' has a member that is no NAME=VALUE")
            }
            let name = variable.prefix { $0 != "=" } + "="
            process.environment.removeAll { $0.hasPrefix(name) }
            process.environment.append(variable)
        }
        for node in edits["deviceNodes"]?.array ?? [] { process.devices.append(try device(node)) }
        for mount in edits["mounts"]?.array ?? [] { process.deviceMounts.append(try self.mount(mount)) }
        for hook in edits["hooks"]?.array ?? [] {
            guard let name = hook["hookName"]?.string, hook["path"]?.string != nil else {
                throw .deviceUnusable(owner, "it has a hook without 'hookName' or 'path'")
            }
            var document = hook
            document["hookName"] = nil
            process.hooks[name, default: []].append(document)
        }
        for group in edits["additionalGids"]?.array ?? [] {
            guard let gid = group.integer.flatMap({ UInt32(exactly: $0) }) else {
                throw .deviceUnusable(owner, "its 'additionalGids' has a member that is no number")
            }
            process.additionalGroups.append(gid)
        }
    }

    private func device(_ node: JSONValue) throws(BuildError) -> RuntimeSpec.Device {
        guard let path = node["path"]?.string, path.hasPrefix("/") else {
            throw .deviceUnusable(owner, "it has a node without 'path'")
        }
        let hostPath = node["hostPath"]?.string ?? path
        let machine = try RuntimeSpec.Device(ofMachine: hostPath)
        func number(_ key: String) -> UInt32? { node[key]?.integer.flatMap { UInt32(exactly: $0) } }
        let kind = node["type"]?.string.flatMap { $0 == "u" ? .character : RuntimeSpec.Device.Kind(rawValue: $0) }
        guard let kind = kind ?? machine?.kind, let major = number("major") ?? machine?.major,
            let minor = number("minor") ?? machine?.minor
        else { throw .deviceUnusable(owner, "this machine has no device '\(hostPath)'") }
        guard StartingUser.isRoot || hostPath == path else {
            throw .deviceUnusable(
                owner, "'\(hostPath)' would be '\(path)', and the kernel lets only root make device nodes")
        }
        return RuntimeSpec.Device(
            path: path, kind: kind, major: major, minor: minor, mode: number("fileMode") ?? machine?.mode ?? 0o666,
            uid: number("uid") ?? machine?.uid ?? 0, gid: number("gid") ?? machine?.gid ?? 0)
    }

    private func mount(_ mount: JSONValue) throws(BuildError) -> RuntimeSpec.Mount {
        guard let source = mount["hostPath"]?.string, let target = mount["containerPath"]?.string, target.hasPrefix("/")
        else { throw .deviceUnusable(owner, "it has a mount without 'hostPath' or 'containerPath'") }
        guard try RootDirectory("/").status(of: source) != nil else {
            throw .deviceUnusable(owner, "this machine has no '\(source)'")
        }
        var options = mount["options"]?.array?.compactMap(\.string) ?? ["ro", "nosuid", "nodev"]
        let type = mount["type"]?.string.flatMap { $0.isEmpty || $0 == "none" ? nil : $0 } ?? "bind"
        if type == "bind", !options.contains(where: { $0 == "bind" || $0 == "rbind" }) { options.append("rbind") }
        return RuntimeSpec.Mount(target, type: type, source: source, options: options)
    }
}
