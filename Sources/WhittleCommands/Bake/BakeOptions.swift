internal import ArgumentParser

/// What is read, and what of it is changed.
struct BakeInputOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")], parsing: .singleValue,
        help: ArgumentHelp(
            "A bake file in JSON or a compose file; '-' for standard input; several are merged in their order. Without "
                + "it: compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml, docker-bake.json and "
                + "docker-bake.override.json, as far as they are there.", valueName: "path"),
        completion: .file())
    var files: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Change a target: app.args.VERSION=2, '*.platform=linux/arm64', app.tags+=app:2.",
            valueName: "target.key=value"))
    var set: [String] = []

    @Option(
        name: .customLong("var"), parsing: .singleValue,
        help: ArgumentHelp("Set a variable of the files; it wins over the environment.", valueName: "name=value"))
    var variables: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Allow targets what they ask for beyond the sandbox: network.host, security.insecure, device, or '*'.",
            valueName: "right"))
    var allow: [String] = []
}

/// What is done with the targets.
struct BakeActionOptions: ParsableArguments {
    @Flag(
        name: .customLong("print"),
        help: "Print the resolved targets as JSON, in docker buildx's form, and do nothing else.")
    var prints = false

    @Option(
        help: ArgumentHelp(
            "List what the files have, and do nothing else: targets or variables; with type=targets,format=json as JSON.",
            valueName: "what"))
    var list: String?

    @Option(
        help: ArgumentHelp(
            "Instead of building: check, outline or targets of each target's Dockerfile; with ',format=json' as "
                + "BuildKit's documents.", valueName: "method[,format=json]"))
    var call: String?

    @Flag(help: "Check the Dockerfiles instead of building; the same as --call=check.")
    var check = false

    @Flag(name: .customLong("no-cache"), help: "Run every step, whatever the cache has.")
    var noCache = false

    @Flag(help: "Ask the registry for base images even where the store has them.")
    var pull = false

    @Flag(help: "Load the images into the Docker that runs on this machine; the same as '--set *.output=type=docker'.")
    var load = false

    @Flag(help: "Push the images to registries; the same as '--set *.push=true'.")
    var push = false

    @Option(
        name: .customLong("metadata-file"),
        help: ArgumentHelp("Write digests and names of each target's result to a file, as JSON.", valueName: "path"),
        completion: .file())
    var metadataFile: String?

    @Option(
        help: ArgumentHelp(
            "How to show the build: tty, plain, quiet, rawjson, or auto: tty on a terminal, else plain. Without it: "
                + "$BUILDKIT_PROGRESS.", valueName: "mode"))
    var progress: ProgressMode?

    @Flag(name: .customLong("no-color"), help: "Show no colours in the live view; so does $NO_COLOR.")
    var noColor = false

    @Flag(help: "Say of each step why it ran or did not: what changed since it last ran.")
    var explain = false

    /// The mode that the option and `$BUILDKIT_PROGRESS` ask for.
    var mode: ProgressMode {
        progress ?? StoreOptions.variable("BUILDKIT_PROGRESS").flatMap { ProgressMode(rawValue: $0) } ?? .auto
    }
}

/// How steps run.
struct BakeExecutionOptions: ParsableArguments {
    @Option(
        name: [.customShort("j"), .customLong("jobs")],
        help: ArgumentHelp(
            "Run this many steps at once, of all targets together. Without it: twice the number of processors.",
            valueName: "n"))
    var jobs: Int?

    @Option(help: ArgumentHelp("The OCI runtime that runs steps: crun, runc, or a path.", valueName: "name"))
    var runtime = "crun"

    @Option(
        name: .customLong("max-layer-size"),
        help: ArgumentHelp(
            "Refuse what unpacks to more than this. Without it: $WHITTLE_MAX_LAYER_SIZE, else no limit.",
            valueName: "size"))
    var maxLayerSize: String?

    @Option(
        name: .customLong("keep-storage"),
        help: ArgumentHelp(
            "After the build, remove what was used least recently until the store is no larger than this. Without it: "
                + "$WHITTLE_KEEP_STORAGE, else no limit.", valueName: "size"))
    var keepStorage: String?
}
