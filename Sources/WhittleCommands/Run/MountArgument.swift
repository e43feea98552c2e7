internal import WhittleCore
internal import WhittleEngine

/// The argument of `--volume`, `--mount` or `--tmpfs`.
struct MountArgument: Equatable {
    let mount: ContainerMount

    /// `[SOURCE:]TARGET[:OPTIONS]`: a source with `/` or `.` in front is a path, another the name of a volume.
    ///
    /// - Throws: `invalid-argument`.
    init(volume text: String) throws(BuildError) {
        let hint = "the form is SOURCE:TARGET[:ro], with a path of this machine or the name of a volume"
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw .invalidArgument("--volume", text, "it has no source or target", hint: hint)
        }
        let target = parts.count == 1 ? parts[0] : parts[1]
        try Self.check(target: target, "--volume", text)
        var isReadOnly = false
        for option in parts.count == 3 ? parts[2].split(separator: ",") : [] {
            switch option {
            case "ro": isReadOnly = true
            // Labels of SELinux, propagation, and how Docker Desktop shares files: nothing to do here.
            case "rw", "z", "Z", "cached", "delegated", "consistent", "nocopy", "rprivate", "private": break
            default:
                throw .invalidArgument("--volume", text, "there is no option '\(option)'", hint: "one of: ro, rw")
            }
        }
        if parts.count == 1 {
            mount = .volume(name: nil, target: target, isReadOnly: false)
        } else if let path = Self.path(parts[0]) {
            mount = .bind(source: path, target: target, isReadOnly: isReadOnly, createsSource: true)
        } else {
            try Self.check(name: parts[0], "--volume", text)
            mount = .volume(name: parts[0], target: target, isReadOnly: isReadOnly)
        }
    }

    /// `KEY=VALUE,…` as Docker has it.
    ///
    /// - Throws: `invalid-argument`.
    init(mount text: String) throws(BuildError) {
        var values: [String: String] = [:]
        let known = [
            "type", "source", "target", "readonly", "tmpfs-size", "tmpfs-mode", "bind-propagation", "volume-nocopy",
        ]
        for field in text.split(separator: ",") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let key: String
            switch parts[0].lowercased() {
            case "src", "source": key = "source"
            case "dst", "destination", "target": key = "target"
            case "ro", "readonly": key = "readonly"
            case let other where known.contains(other): key = other
            case let other:
                throw .invalidArgument(
                    "--mount", text, "there is no option '\(other)'",
                    hint: NearestName.of(other, among: known).map { "did you mean '\($0)'?" }
                        ?? "one of: type, source, target, readonly, tmpfs-size, tmpfs-mode")
            }
            values[key] = parts.count > 1 ? parts[1] : "true"
        }
        try self.init(values, text)
    }

    private init(_ values: [String: String], _ text: String) throws(BuildError) {
        guard let target = values["target"] else {
            throw .invalidArgument("--mount", text, "it has no target", hint: "add target=/PATH/IN/THE/CONTAINER")
        }
        try Self.check(target: target, "--mount", text)
        let isReadOnly = ["true", "1"].contains(values["readonly"]?.lowercased() ?? "false")
        switch values["type"] ?? "volume" {
        case "bind":
            guard let source = values["source"], !source.isEmpty else {
                throw .invalidArgument("--mount", text, "it has no source", hint: "add source=PATH")
            }
            mount = .bind(
                source: StoreOptions.absolute(source), target: target, isReadOnly: isReadOnly, createsSource: false)
        case "volume":
            if let name = values["source"] { try Self.check(name: name, "--mount", text) }
            mount = .volume(name: values["source"], target: target, isReadOnly: isReadOnly)
        case "tmpfs":
            mount = .tmpfs(
                target: target,
                size: try values["tmpfs-size"].map { (size) throws(BuildError) in
                    try Self.size(size, "--mount", text)
                },
                mode: try values["tmpfs-mode"].map { (mode) throws(BuildError) in try Self.mode(mode, "--mount", text) }
            )
        case let other:
            throw .invalidArgument(
                "--mount", text, "there is no type '\(other)'", hint: "one of: bind, volume, tmpfs")
        }
    }

    /// `TARGET[:OPTION,…]`.
    ///
    /// - Throws: `invalid-argument`.
    init(tmpfs text: String) throws(BuildError) {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        let target = parts.first ?? ""
        try Self.check(target: target, "--tmpfs", text)
        var size: ByteCount?
        var mode: UInt32?
        for option in parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : [] {
            if option.hasPrefix("size=") {
                size = try Self.size(String(option.dropFirst(5)), "--tmpfs", text)
            } else if option.hasPrefix("mode=") {
                mode = try Self.mode(String(option.dropFirst(5)), "--tmpfs", text)
            } else if !["rw", "nosuid", "nodev", "noexec", "exec"].contains(option) {
                throw .invalidArgument("--tmpfs", text, "there is no option '\(option)'", hint: "one of: size, mode")
            }
        }
        mount = .tmpfs(target: target, size: size, mode: mode)
    }
}

extension MountArgument {
    /// The absolute path that a source means, or `nil` where it is a name.
    private static func path(_ source: String) -> String? {
        if source.hasPrefix("/") { return source }
        guard source == "." || source == ".." || source.hasPrefix("./") || source.hasPrefix("../") else { return nil }
        return StoreOptions.absolute(source)
    }

    private static func check(target: String, _ option: String, _ text: String) throws(BuildError) {
        guard target.hasPrefix("/"), target.contains(where: { $0 != "/" }) else {
            throw .invalidArgument(
                option, text, "the target '\(target)' is no absolute path below '/'",
                hint: "write the whole path, such as /data")
        }
    }

    private static func check(name: String, _ option: String, _ text: String) throws(BuildError) {
        func isFirst(_ character: Character) -> Bool { character.isASCII && (character.isLetter || character.isNumber) }
        let isName =
            name.count > 1 && name.utf8.count < 200 && name.first.map(isFirst) ?? false
            && name.allSatisfy { isFirst($0) || "_.-".contains($0) }
        guard isName else {
            throw .invalidArgument(
                option, text, "'\(name)' is neither an absolute path nor the name of a volume",
                hint: "a path begins with '/' or './'; a name has two or more of A-Z a-z 0-9 _ . -")
        }
    }

    /// A number with an optional unit: `64m`.
    private static func size(_ size: String, _ option: String, _ text: String) throws(BuildError) -> ByteCount {
        let digits = size.prefix { $0.isASCII && $0.isNumber }
        let unit = size.dropFirst(digits.count).lowercased()
        let shifts = ["": 0, "b": 0, "k": 10, "kb": 10, "m": 20, "mb": 20, "g": 30, "gb": 30]
        guard let number = Int64(digits), let shift = shifts[unit], number > 0, number <= Int64.max >> Int64(shift)
        else {
            throw .invalidArgument(option, text, "'\(size)' is no size", hint: "write a number with a unit: 64m, 1g")
        }
        return ByteCount(number << Int64(shift))
    }

    private static func mode(_ mode: String, _ option: String, _ text: String) throws(BuildError) -> UInt32 {
        guard let value = UInt32(mode, radix: 8), value <= 0o7777 else {
            throw .invalidArgument(option, text, "'\(mode)' is no mode", hint: "write octal digits, such as 1777")
        }
        return value
    }
}
