internal import WhittleCore
internal import WhittleOCI

extension ImageComparison {
    mutating func compareConfigurations(_ left: ImageContents.Image, _ right: ImageContents.Image) {
        let (a, b) = (left.configuration, right.configuration)
        // A platform knows which variant stands for none.
        let (platform, other) = (a.platform, b.platform)
        compareText("architecture", platform.architecture, other.architecture)
        compareText("os", platform.os, other.os)
        compareText("variant", platform.variant, other.variant)
        compareText("os.version", platform.osVersion, other.osVersion)
        compareText("created", a.created?.rfc3339, b.created?.rfc3339)
        compareText("author", a.author, b.author)
        compareMembers(a.otherMembers, b.otherMembers)
        compareRunSettings(a.config, b.config)
        compareMaps(
            "annotations", Self.comparable(left.annotations, ignored), Self.comparable(right.annotations, ignored))
    }

    /// Annotations without those that are times.
    private static func comparable(_ annotations: [String: String], _ ignored: IgnoredFields) -> [String: String] {
        ignored.comparesTimes ? annotations : annotations.filter { $0.key != "org.opencontainers.image.created" }
    }

    private mutating func compareRunSettings(_ a: ContainerConfiguration, _ b: ContainerConfiguration) {
        compareText("User", a.user, b.user)
        compareSets("ExposedPorts", a.exposedPorts, b.exposedPorts)
        compareEnvironments(a.environment, b.environment)
        compareLists("Entrypoint", a.entrypoint, b.entrypoint)
        compareLists("Cmd", a.command, b.command)
        compareSets("Volumes", a.volumes, b.volumes)
        func directory(_ text: String) -> String { text == "/" ? "" : text }
        compareText("WorkingDir", directory(a.workingDirectory), directory(b.workingDirectory))
        compareMaps("Labels", a.labels, b.labels)
        compareText("StopSignal", a.stopSignal, b.stopSignal)
        func shell(_ words: [String]?) -> [String]? { words == ["/bin/sh", "-c"] ? nil : words }
        compareLists("Shell", shell(a.shell), shell(b.shell))
        compareLists("OnBuild", a.onBuild, b.onBuild)
        compare(.init(.config, "Healthcheck"), Self.json(a.healthcheck), Self.json(b.healthcheck))
        compare(.init(.config, "ArgsEscaped"), a.argsEscaped ? true : nil, b.argsEscaped ? true : nil)
        compareMembers(a.otherMembers, b.otherMembers)
    }

    /// A check without members that are zero, which stand for the runtime's default as missing ones do.
    private static func json(_ check: Healthcheck?) -> JSONValue? {
        guard let check else { return nil }
        var container = ContainerConfiguration()
        container.healthcheck = check
        guard let members = container.json["Healthcheck"]?.object?.members else { return nil }
        var kept = JSONObject()
        for member in members where member.value != 0 { kept[member.key] = member.value }
        return kept.isEmpty ? nil : .object(kept)
    }

    private mutating func compareText(_ name: String, _ left: String?, _ right: String?) {
        func value(_ text: String?) -> JSONValue? { text.flatMap { $0.isEmpty ? nil : .string($0) } }
        compare(.init(.config, name), value(left), value(right))
    }

    private mutating func compareLists(_ name: String, _ left: [String]?, _ right: [String]?) {
        func value(_ words: [String]?) -> JSONValue? {
            words.flatMap { $0.isEmpty ? nil : .array($0.map { .string($0) }) }
        }
        compare(.init(.config, name), value(left), value(right))
    }

    private mutating func compareSets(_ name: String, _ left: Set<String>, _ right: Set<String>) {
        for key in left.union(right).sorted() {
            compare(.init(.config, name), key, left.contains(key) ? true : nil, right.contains(key) ? true : nil)
        }
    }

    private mutating func compareMaps(_ name: String, _ left: [String: String], _ right: [String: String]) {
        for key in Set(left.keys).union(right.keys).sorted() {
            compare(.init(.config, name), key, left[key].map { .string($0) }, right[key].map { .string($0) })
        }
    }

    private mutating func compareMembers(_ left: JSONObject, _ right: JSONObject) {
        for key in Set(left.keys).union(right.keys).sorted() {
            func value(_ object: JSONObject) -> JSONValue? { object[key].flatMap { $0.isNull ? nil : $0 } }
            compare(.init(.config, key), value(left), value(right))
        }
    }

    /// Variable by variable; where all of them are equal and the lists are not, their order is the difference.
    private mutating func compareEnvironments(_ left: [String], _ right: [String]) {
        guard left != right, !ignored.contains(.init(.config, "Env")) else { return }
        func table(_ lines: [String]) -> [String: String] {
            var table: [String: String] = [:]
            for line in lines {
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                table[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
            }
            return table
        }
        let (a, b) = (table(left), table(right))
        guard a == b else { return compareMaps("Env", a, b) }
        compareLists("Env", left, right)
    }
}
