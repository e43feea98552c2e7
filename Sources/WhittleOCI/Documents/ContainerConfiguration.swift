/// How a container of an image runs: the member `config` of an image configuration.
///
/// `nil` and empty lists differ for what a container starts: `entrypoint` `[]` clears an inherited one.
public struct ContainerConfiguration: Hashable, Sendable {
    /// `USER[:GROUP]`, names or numbers; empty for root.
    public var user = ""
    /// `PORT/PROTOCOL`.
    public var exposedPorts: Set<String> = []
    /// `NAME=VALUE` in order.
    public var environment: [String] = []
    public var entrypoint: [String]?
    public var command: [String]?
    /// Absolute paths.
    public var volumes: Set<String> = []
    /// Empty where none was set, which means `/`.
    public var workingDirectory = ""
    public var labels: [String: String] = [:]
    public var stopSignal = ""
    /// What runs shell-form commands; `nil` for `/bin/sh -c`.
    public var shell: [String]?
    /// Instructions for builds on top of this image, without `ONBUILD`.
    public var onBuild: [String] = []
    public var healthcheck: Healthcheck?
    /// Windows only: `command` is one string that is already escaped.
    public var argsEscaped = false
    /// Members that have no name here, in their order.
    public var otherMembers = JSONObject()

    public init() {}

    init(_ reader: DocumentReader) throws {
        user = try reader.string("User") ?? ""
        exposedPorts = try reader.keySet("ExposedPorts") ?? []
        environment = try reader.strings("Env") ?? []
        entrypoint = try reader.strings("Entrypoint")
        command = try reader.strings("Cmd")
        volumes = try reader.keySet("Volumes") ?? []
        workingDirectory = try reader.string("WorkingDir") ?? ""
        labels = try reader.stringMap("Labels") ?? [:]
        stopSignal = try reader.string("StopSignal") ?? ""
        shell = try reader.strings("Shell")
        onBuild = try reader.strings("OnBuild") ?? []
        healthcheck = try reader.child("Healthcheck").map { try Healthcheck($0) }
        argsEscaped = try reader.bool("ArgsEscaped") ?? false
        otherMembers = reader.others(than: Self.members)
    }

    private static let members: Set<String> = [
        "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Shell",
        "OnBuild", "Healthcheck", "ArgsEscaped",
    ]

    /// The member `config` as a JSON value; what is not set is left out.
    public var json: JSONValue {
        var value: JSONValue = .object(otherMembers)
        func set(_ key: String, _ texts: [String]) { value[key] = .array(texts.map { .string($0) }) }
        func set(_ key: String, _ keys: Set<String>) {
            var object = JSONObject()
            for key in keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { object[key] = [:] }
            value[key] = .object(object)
        }
        if !user.isEmpty { value["User"] = .string(user) }
        if !exposedPorts.isEmpty { set("ExposedPorts", exposedPorts) }
        if !environment.isEmpty { set("Env", environment) }
        if let entrypoint { set("Entrypoint", entrypoint) }
        if let command { set("Cmd", command) }
        if !volumes.isEmpty { set("Volumes", volumes) }
        if !workingDirectory.isEmpty { value["WorkingDir"] = .string(workingDirectory) }
        if !labels.isEmpty { value["Labels"] = .object(JSONObject(labels)) }
        if !stopSignal.isEmpty { value["StopSignal"] = .string(stopSignal) }
        if let shell { set("Shell", shell) }
        if !onBuild.isEmpty { set("OnBuild", onBuild) }
        if let healthcheck { value["Healthcheck"] = healthcheck.json }
        if argsEscaped { value["ArgsEscaped"] = true }
        return value
    }
}

/// How a running container's health is tested.
///
/// Format: Docker's image configuration; times there are whole nanoseconds.
public struct Healthcheck: Hashable, Sendable {
    /// `["NONE"]`, `["CMD", ARG…]` or `["CMD-SHELL", COMMAND]`; empty inherits the base image's.
    public var test: [String]
    /// `nil` stands for the runtime's default, as for every member below.
    public var interval: Duration?
    public var timeout: Duration?
    public var startPeriod: Duration?
    public var startInterval: Duration?
    public var retries: Int64?

    public init(
        test: [String], interval: Duration? = nil, timeout: Duration? = nil, startPeriod: Duration? = nil,
        startInterval: Duration? = nil, retries: Int64? = nil
    ) {
        self.test = test
        self.interval = interval
        self.timeout = timeout
        self.startPeriod = startPeriod
        self.startInterval = startInterval
        self.retries = retries
    }

    init(_ reader: DocumentReader) throws {
        func duration(_ key: String) throws -> Duration? { try reader.integer(key).map { .nanoseconds($0) } }
        self.init(
            test: try reader.strings("Test") ?? [], interval: try duration("Interval"),
            timeout: try duration("Timeout"), startPeriod: try duration("StartPeriod"),
            startInterval: try duration("StartInterval"), retries: try reader.integer("Retries"))
    }

    var json: JSONValue {
        var value: JSONValue = [:]
        func set(_ key: String, _ duration: Duration?) {
            guard let parts = duration?.components else { return }
            // Saturates after 292 years, the most that the format can say.
            let whole = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let sum = whole.partialValue.addingReportingOverflow(parts.attoseconds / 1_000_000_000)
            value[key] = .integer(whole.overflow || sum.overflow ? .max : sum.partialValue)
        }
        if !test.isEmpty { value["Test"] = .array(test.map { .string($0) }) }
        set("Interval", interval)
        set("Timeout", timeout)
        set("StartPeriod", startPeriod)
        set("StartInterval", startInterval)
        if let retries { value["Retries"] = .integer(retries) }
        return value
    }
}
