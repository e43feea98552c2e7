package import WhittleCore
package import WhittleOCI

extension RuntimeSpec {
    /// How the system call filter reaches the runtime.
    package enum SeccompForm: Sendable {
        /// As rules, for the runtime to compile.
        case rules
        /// As a program, which crun takes in the annotation `run.oci.seccomp_bpf_data` (since 0.17).
        case program(SeccompFilter)
        /// Not at all: the runtime cannot.
        case none
    }

    /// The document `config.json`. It holds the secret environment.
    package func document(seccomp form: SeccompForm) -> Redacted<JSONValue> {
        var linux: JSONValue = [
            "namespaces": .array(namespaces.map { ["type": .string($0.rawValue)] }),
            "maskedPaths": .strings(maskedPaths),
            "readonlyPaths": .strings(readonlyPaths),
        ]
        var document: JSONValue = [
            "ociVersion": "1.0.2",
            "process": process.document,
            "root": ["path": .string(root), "readonly": .bool(isRootReadOnly)],
            "hostname": .string(hostname),
            "mounts": .array(
                mounts.map { mount in
                    [
                        "destination": .string(mount.target), "type": .string(mount.type),
                        "source": .string(mount.source), "options": .strings(mount.options),
                    ]
                }),
        ]
        switch (seccomp, form) {
        case (let profile?, .rules): linux["seccomp"] = profile.document
        case (.some, .program(let filter)):
            document["annotations"] = ["run.oci.seccomp_bpf_data": .string(Base64.encode(filter.bytes))]
        case (.some, .none), (nil, _): break
        }
        if !devices.isEmpty { linux["devices"] = .array(devices.map(\.document)) }
        if let cgroupPath { linux["cgroupsPath"] = .string(cgroupPath) }
        if !hooks.isEmpty {
            var moments: JSONValue = [:]
            for (moment, programs) in hooks.sorted(by: { $0.key < $1.key }) { moments[moment] = .array(programs) }
            document["hooks"] = moments
        }
        document["linux"] = linux
        return Redacted(document)
    }
}

extension RuntimeSpec.Process {
    fileprivate var document: JSONValue {
        let names = JSONValue.strings(capabilities.map { $0.rawValue })
        // The own group as well, as containerd does: a program that changes its group must not lose what the files of
        // its first one deny it (CVE-2022-36109).
        let groups = [user.gid] + user.additionalGroups.filter { $0 != user.gid }
        var document: JSONValue = [
            "terminal": .bool(terminal != nil),
            "user": [
                "uid": .integer(Int64(user.uid)), "gid": .integer(Int64(user.gid)),
                "additionalGids": .array(groups.map { .integer(Int64($0)) }),
            ],
            "args": .strings(arguments),
            "env": .strings(environment + secretEnvironment.revealed),
            "cwd": .string(workingDirectory),
            "capabilities": ["bounding": names, "effective": names, "permitted": names],
            "noNewPrivileges": .bool(noNewPrivileges),
        ]
        if hasAmbientCapabilities {
            // Otherwise a user other than root gets none on exec.
            document["capabilities"] = [
                "bounding": names, "effective": names, "permitted": names, "inheritable": names, "ambient": names,
            ]
        }
        if !limits.isEmpty {
            document["rlimits"] = .array(
                limits.sorted { $0.key < $1.key }.map { name, limit in
                    [
                        "type": .string(name), "soft": Self.number(limit.soft), "hard": Self.number(limit.hard),
                    ]
                })
        }
        if let terminal {
            document["consoleSize"] = [
                "height": .integer(Int64(terminal.rows)), "width": .integer(Int64(terminal.columns)),
            ]
        }
        if let oomScoreAdjustment { document["oomScoreAdj"] = .integer(Int64(oomScoreAdjustment)) }
        return document
    }
}

extension RuntimeSpec.Process {
    /// "No limit" is the greatest number of 64 bits.
    fileprivate static func number(_ limit: UInt64) -> JSONValue {
        Int64(exactly: limit).map { .integer($0) } ?? .number(JSONNumber(limit))
    }
}

extension RuntimeSpec.Device {
    fileprivate var document: JSONValue {
        [
            "path": .string(path), "type": .string(kind.rawValue), "major": .integer(Int64(major)),
            "minor": .integer(Int64(minor)), "fileMode": .integer(Int64(mode)), "uid": .integer(Int64(uid)),
            "gid": .integer(Int64(gid)),
        ]
    }
}

extension SeccompProfile {
    /// `linux.seccomp` of the specification, for the architectures of this machine.
    var document: JSONValue {
        var rules: [JSONValue] = []
        var allowed: [String] = []
        for (name, grant) in grants.sorted(by: { $0.key < $1.key }) {
            switch grant {
            case .allow: allowed.append(name)
            case .refuse(let errno):
                rules.append(["names": [.string(name)], "action": "SCMP_ACT_ERRNO", "errnoRet": .integer(Int64(errno))])
            case .allowIf(let condition):
                rules += condition.documents.map { test in
                    ["names": [.string(name)], "action": "SCMP_ACT_ALLOW", "args": [test]]
                }
            }
        }
        rules.insert(["names": .strings(allowed), "action": "SCMP_ACT_ALLOW"], at: 0)
        return [
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 1,
            "architectures": .strings(SeccompArchitecture.native.map { $0.name }),
            "syscalls": .array(rules),
        ]
    }
}

extension SeccompProfile.Condition {
    /// One test each; runtimes allow what passes any of them.
    ///
    /// A range is written as single values, but for one that begins at 0: two tests of one argument would be read as
    /// alternatives too.
    fileprivate var documents: [JSONValue] {
        switch self {
        case .noBits(let argument, let mask):
            return [Self.test(argument, "SCMP_CMP_MASKED_EQ", Int64(mask), second: 0)]
        case .among(let argument, let ranges):
            return ranges.flatMap { range in
                if range.lowerBound == 0, range.count > 1 {
                    return [Self.test(argument, "SCMP_CMP_LE", Int64(range.upperBound))]
                }
                return range.map { Self.test(argument, "SCMP_CMP_EQ", Int64($0)) }
            }
        }
    }

    private static func test(_ argument: Int, _ comparison: String, _ value: Int64, second: Int64? = nil) -> JSONValue {
        var test: JSONValue = ["index": .integer(Int64(argument)), "value": .integer(value), "op": .string(comparison)]
        if let second { test["valueTwo"] = .integer(second) }
        return test
    }
}

extension JSONValue {
    fileprivate static func strings(_ strings: [String]) -> JSONValue { .array(strings.map { .string($0) }) }
}
