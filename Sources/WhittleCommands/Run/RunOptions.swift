internal import ArgumentParser

/// What runs in a container.
struct RunProcessOptions: ParsableArguments {
    @Flag(name: [.customShort("i"), .customLong("interactive")], help: "Connect standard input.")
    var interactive = false

    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give the container a terminal.")
    var tty = false

    @Option(
        name: [.customShort("e"), .customLong("env")], parsing: .singleValue,
        help: ArgumentHelp(
            "Set a variable; without '=VALUE' it is taken from the environment.", valueName: "name[=value]"))
    var environment: [String] = []

    @Option(
        name: .customLong("env-file"), parsing: .singleValue,
        help: ArgumentHelp("Set the variables in a file, one NAME=VALUE a line.", valueName: "path"),
        completion: .file())
    var environmentFiles: [String] = []

    @Option(
        name: [.customShort("w"), .customLong("workdir")],
        help: ArgumentHelp("Run in this directory of the container.", valueName: "path"))
    var workingDirectory: String?

    @Option(
        name: [.customShort("u"), .customLong("user")],
        help: ArgumentHelp("Run as this user of the image, or number.", valueName: "user[:group]"))
    var user: String?

    @Option(help: ArgumentHelp("Run this in the place of the image's entrypoint; '' for none.", valueName: "program"))
    var entrypoint: String?

    @Option(help: ArgumentHelp("Take the image for this platform of several.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Option(
        help: ArgumentHelp(
            "Pull the image: missing, where the store does not have it; always; or never.", valueName: "policy"))
    var pull = PullPolicy.missing

    @Option(help: ArgumentHelp("The OCI runtime: crun, runc, or a path.", valueName: "name"))
    var runtime = "crun"

    @Flag(help: "Remove the container when it ends; it always is.")
    var rm = false

    @Flag(name: [.customShort("d"), .customLong("detach")], help: .hidden)
    var detach = false
}

/// What a container finds in its file system.
struct RunFileOptions: ParsableArguments {
    @Option(
        name: [.customShort("v"), .customLong("volume")], parsing: .singleValue,
        help: ArgumentHelp(
            "Show a file or directory of this machine, or a named volume of the store, in the container.",
            valueName: "source:target[:ro]"))
    var volumes: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "The same in words: type=bind|volume|tmpfs,source=…,target=…[,readonly][,tmpfs-size=…][,tmpfs-mode=…].",
            valueName: "spec"))
    var mount: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("An empty directory in memory.", valueName: "target[:size=…,mode=…]"))
    var tmpfs: [String] = []

    @Flag(name: .customLong("read-only"), help: "Let nothing but volumes and mounts be written.")
    var isReadOnly = false
}

/// What a container shares with this machine, and what it may do.
struct RunIsolationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("No other running container may have this name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("The container's host name.", valueName: "name"))
    var hostname: String?

    @Option(
        name: [.customLong("network"), .customLong("net")],
        help: ArgumentHelp("host, the network of this machine; or none.", valueName: "mode"))
    var network = "host"

    @Option(
        name: [.customShort("p"), .customLong("publish")], parsing: .singleValue,
        help: ArgumentHelp(
            "A port of the container. Its ports are those of this machine already, so both numbers must be the same.",
            valueName: "port:port"))
    var ports: [String] = []

    @Option(
        name: .customLong("add-host"), parsing: .singleValue,
        help: ArgumentHelp("Add a line to /etc/hosts.", valueName: "name:address"))
    var hosts: [String] = []

    @Option(
        name: .customLong("cap-add"), parsing: .singleValue,
        help: ArgumentHelp("Give a capability, or ALL.", valueName: "capability"))
    var addedCapabilities: [String] = []

    @Option(
        name: .customLong("cap-drop"), parsing: .singleValue,
        help: ArgumentHelp("Take a capability away, or ALL.", valueName: "capability"))
    var droppedCapabilities: [String] = []

    @Flag(help: "Give all capabilities and system calls, and hide nothing.")
    var privileged = false
}

/// When 'run' asks a registry.
enum PullPolicy: String, CaseIterable, ExpressibleByArgument, Sendable {
    case missing, always, never
}
