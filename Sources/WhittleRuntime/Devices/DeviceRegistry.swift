package import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

/// The devices that the files of the Container Device Interface describe, in JSON.
package struct DeviceRegistry: Sendable {
    /// Where such files are looked for unless told otherwise: BuildKit's places.
    package static let standardDirectories = ["/etc/cdi", "/var/run/cdi", "/etc/buildkit/cdi"]

    private let directories: [String]
    private var devices: [Device] = []
    /// Files in YAML, which are not read.
    private var skipped: [String] = []

    private struct Device: Sendable {
        /// `vendor.com/class=name`.
        let name: String
        let classes: [String]
        /// What all devices of the file need, then its own.
        let edits: [JSONValue]
        let file: String
    }

    /// Reads the files. A directory that is not there has none; of two devices of one name the later directory's counts.
    ///
    /// - Throws: `device-unusable` for a file that is no description of devices; `file-system`.
    package init(_ directories: [String] = standardDirectories) throws(BuildError) {
        self.directories = directories
        let machine = try RootDirectory("/")
        for directory in directories {
            guard try machine.status(of: directory)?.isDirectory ?? false else { continue }
            for name in try machine.names(in: directory).map(\.description) {
                let path = directory + "/" + name
                if name.hasSuffix(".yaml") || name.hasSuffix(".yml") { skipped.append(path) }
                if name.hasSuffix(".json") { try read(path) }
            }
        }
    }

    private mutating func read(_ path: String) throws(BuildError) {
        let bytes = try FileReading.bytes(ofFileAt: path, limit: 16 << 20) ?? []
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: bytes) } catch {
            throw .deviceFile(path, "it is no JSON: \(error)")
        }
        guard let kind = document["kind"]?.string, kind.contains("/"), let list = document["devices"]?.array else {
            throw .deviceFile(path, "it has no 'kind' or no 'devices'")
        }
        let shared = document["containerEdits"] ?? [:]
        for device in list {
            guard let short = device["name"]?.string, !short.isEmpty else {
                throw .deviceFile(path, "it has a device without 'name'")
            }
            let key = "org.mobyproject.buildkit.device.class"
            let classes = [document, device].compactMap { $0["annotations"]?[key]?.string }
            let name = "\(kind)=\(short)"
            devices.removeAll { $0.name == name }
            devices.append(
                Device(name: name, classes: classes, edits: [shared, device["containerEdits"] ?? [:]], file: path))
        }
    }

    /// Gives a process the devices that `name` means: one, all with `kind=*`, the first with `kind`, or those of a class.
    ///
    /// - Throws: `device-missing` where there is none and one is required; `device-unusable`.
    package func apply(_ name: String, isRequired: Bool, to process: inout StepProcess) throws(BuildError) {
        let found = matches(name)
        guard !found.isEmpty || !isRequired else {
            throw .deviceMissing(name, known: devices.map(\.name), directories: directories, skipped: skipped)
        }
        for device in found {
            for edits in device.edits { try DeviceEdits(edits, of: device.name).apply(to: &process) }
        }
    }

    private func matches(_ name: String) -> [Device] {
        let sorted = devices.sorted { $0.name < $1.name }
        let parts = name.split(separator: "=", maxSplits: 1).map(String.init)
        var found: [Device] = []
        if let kind = parts.first, kind.contains("/") {
            let ofKind = sorted.filter { $0.name.hasPrefix(kind + "=") }
            switch parts.count > 1 ? parts[1] : "" {
            case "": found = Array(ofKind.prefix(1))
            case "*": found = ofKind
            default: found = ofKind.filter { $0.name == name }
            }
        }
        return found.isEmpty ? sorted.filter { $0.classes.contains(name) } : found
    }
}

extension BuildError.Code {
    /// A step asks for a device that no file describes.
    static let deviceMissing = Self(rawValue: "device-missing")
    /// A device cannot be given to a step as its file says.
    static let deviceUnusable = Self(rawValue: "device-unusable")
}

extension BuildError {
    static func deviceMissing(
        _ name: String, known: [String], directories: [String], skipped: [String]
    ) -> BuildError {
        let places = directories.joined(separator: ", ")
        let hint: String
        if let near = NearestName.of(name, among: known) {
            hint = "did you mean '\(near)'?"
        } else if !skipped.isEmpty {
            hint = "'\(skipped[0])' is in YAML, which whittle does not read: write it as JSON beside it"
        } else if known.isEmpty {
            hint =
                "put its description (CDI, JSON) into one of them, or write required=false where the step works without"
        } else {
            hint = "the devices are: \(known.sorted().prefix(20).joined(separator: ", "))"
        }
        return BuildError(.deviceMissing, "no device '\(name)' is described in \(places)", hint: hint)
    }

    static func deviceUnusable(_ name: String, _ reason: String) -> BuildError {
        BuildError(
            .deviceUnusable, "cannot give the device '\(name)' to the step: \(reason)",
            hint: "correct its description; required=false is for devices that are not described at all")
    }

    static func deviceFile(_ path: String, _ reason: String) -> BuildError {
        BuildError(
            .deviceUnusable, "reading the description of devices '\(path)': \(reason)",
            hint: "correct or remove the file")
    }
}
