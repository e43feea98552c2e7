internal import ArgumentParser

/// What is built.
struct BuildInputOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp(
            "The Dockerfile; '-' for standard input. Without it: Dockerfile in the context. With an archive as the "
                + "context: its path in it.", valueName: "path"),
        completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("Build this stage instead of the last one.", valueName: "stage"))
    var target: String?

    @Option(
        name: .customLong("also"), parsing: .singleValue,
        help: ArgumentHelp(
            "Build this stage too, side by side with the target: the build fails if it fails, and it adds nothing to "
                + "the image; may be given several times.", valueName: "stage"))
    var also: [String] = []

    @Option(
        name: .customLong("build-arg"), parsing: .singleValue,
        help: ArgumentHelp(
            "Set an ARG; without '=VALUE' the value comes from the environment.", valueName: "name[=value]"))
    var buildArguments: [String] = []

    @Option(
        name: .customLong("build-context"), parsing: .singleValue,
        help: ArgumentHelp(
            "Put a directory, docker-image://REF, oci-layout://DIR[:TAG] or https://URL in the place of a stage or "
                + "image.",
            valueName: "name=value"))
    var buildContexts: [String] = []

    @Option(
        name: .customLong("label"), parsing: .singleValue, help: ArgumentHelp("Set a label.", valueName: "name=value"))
    var labels: [String] = []

    @Option(
        name: .customLong("platform"), parsing: .singleValue,
        help: ArgumentHelp(
            "A platform that the image is for; 'local' for this machine's. Several, given again or with commas between them, "
                + "make an index of one image for each. Without it: $DOCKER_DEFAULT_PLATFORM, else this machine's.",
            valueName: "os/arch[/variant]"))
    var platforms: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Give a secret to the steps that mount it: id=ID,src=FILE, src=- for standard input, or env=NAME.",
            valueName: "spec"))
    var secret: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Let steps with an ssh mount, and git, use an SSH agent or keys: default for the agent of $SSH_AUTH_SOCK, or "
                + "ID=SOCKET, or ID=KEYFILE[,KEYFILE…].",
            valueName: "spec"))
    var ssh: [String] = []

    @Option(
        help: ArgumentHelp(
            "Instead of building: check (the Dockerfile for what is doubtful), outline (the parameters of the target) or "
                + "targets (the stages); with ',format=json' as BuildKit's documents.",
            valueName: "method[,format=json]"))
    var call: String?

    @Flag(
        help: "Check the Dockerfile instead of building it; the same as --call=check. Fails where something is found.")
    var check = false

    @Flag(
        name: .customLong("allow-secret-leak"),
        help: "Only warn where a step leaves a secret it was given in its files, instead of failing.")
    var allowsSecretLeak = false
}

/// What may be taken from earlier builds.
struct BuildCacheOptions: ParsableArguments {
    @Flag(name: .customLong("no-cache"), help: "Run every step, whatever the cache has.")
    var noCache = false

    @Option(
        name: .customLong("no-cache-filter"), parsing: .singleValue,
        help: ArgumentHelp("Run every step of these stages.", valueName: "stage[,stage]"))
    var noCacheFilters: [String] = []

    @Flag(help: "Ask the registry for base images even where the store has them.")
    var pull = false

    @Option(
        name: .customLong("max-layer-size"),
        help: ArgumentHelp(
            "Refuse a layer of a base image, an archive of ADD or as the context, that unpacks to more than this, and a "
                + "larger download, such as 10GB. Without it: $WHITTLE_MAX_LAYER_SIZE, else no limit.",
            valueName: "size"))
    var maxLayerSize: String?

    @Option(
        name: .customLong("keep-storage"),
        help: ArgumentHelp(
            "After the build, remove what was used least recently until the store is no larger than this, such as 20GB. "
                + "Without it: $WHITTLE_KEEP_STORAGE, else no limit.",
            valueName: "size"))
    var keepStorage: String?
}

/// What comes out, and how the build is shown.
struct BuildOutputOptions: ParsableArguments {
    @Option(
        name: [.customShort("t"), .customLong("tag")], parsing: .singleValue,
        help: ArgumentHelp("Name the image in the store; may be given several times.", valueName: "name[:tag]"))
    var tags: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("output")], parsing: .singleValue,
        help: ArgumentHelp(
            "Where the result goes: type=image|registry|oci|docker|local|tar|cacheonly with dest=, name=, push=, compression=, "
                + "compression-level=, tar=false (docker without dest= loads into a running Docker); or a directory, or '-' for a tar on standard output.",
            valueName: "spec"))
    var outputs: [String] = []

    @Option(
        name: .customLong("annotation"), parsing: .singleValue,
        help: ArgumentHelp(
            "Put an annotation on the image, in its manifest or where PLACE says: manifest, manifest-descriptor (both also for "
                + "one platform: manifest[linux/arm64]), index, index-descriptor.",
            valueName: "[place:]key=value"))
    var annotations: [String] = []

    @Flag(help: "Make one layer of all that the build adds; the layers of the base image stay.")
    var squash = false

    @Flag(
        help: """
            Also load the image into the Docker that runs on this machine ($DOCKER_HOST, else /var/run/docker.sock), as \
            '-o type=docker' without dest= does.
            """)
    var load = false

    @Flag(
        help: """
            Also push the image to the registries that its names say, as '-o type=image,push=true' does; layers go while \
            later steps run.
            """)
    var push = false

    @Flag(
        help: """
            Make the same image from the same inputs at any time: all times are the epoch of $SOURCE_DATE_EPOCH, else of \
            the context's git commit, else of the newest input, and steps see it as SOURCE_DATE_EPOCH.
            """)
    var reproducible = false

    @Option(
        help: ArgumentHelp(
            "Give the image, its history and every file that the build adds this time, in seconds since 1970.",
            valueName: "seconds"))
    var timestamp: String?

    @Option(help: ArgumentHelp("Write the image ID to a file.", valueName: "path"), completion: .file())
    var iidfile: String?

    @Option(
        name: .customLong("metadata-file"),
        help: ArgumentHelp("Write digests and names of the result to a file, as JSON.", valueName: "path"),
        completion: .file())
    var metadataFile: String?

    @Option(
        help: ArgumentHelp(
            "How to show the build: tty (a live view), plain, quiet, rawjson (BuildKit's, one object a line), or auto: tty "
                + "on a terminal, else plain. Without it: $BUILDKIT_PROGRESS.", valueName: "mode"))
    var progress: ProgressMode?

    @Flag(help: "Say of each step why it ran or did not: what changed since it last ran.")
    var explain = false

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print the image ID and nothing else.")
    var quiet = false

    @Flag(name: .customLong("no-color"), help: "Show no colours in the live view; so does $NO_COLOR.")
    var noColor = false

    /// The mode that the options and `$BUILDKIT_PROGRESS` ask for.
    var mode: ProgressMode {
        if quiet { return .quiet }
        if let progress { return progress }
        return StoreOptions.variable("BUILDKIT_PROGRESS").flatMap { ProgressMode(rawValue: $0) } ?? .auto
    }
}

/// How steps run.
struct BuildExecutionOptions: ParsableArguments {
    @Option(
        name: [.customShort("j"), .customLong("jobs")],
        help: ArgumentHelp("Run this many steps at once. Without it: twice the number of processors.", valueName: "n"))
    var jobs: Int?

    @Option(help: ArgumentHelp("The OCI runtime that runs steps: crun, runc, or a path.", valueName: "name"))
    var runtime = "crun"

    @Flag(
        name: .customLong("shell-on-failure"),
        help: "Open a shell in the file system of the first RUN that fails; the build fails when it ends.")
    var shellOnFailure = false

    @Option(
        help: ArgumentHelp(
            "The network of steps that do not say one: default and host are this machine's, none is a loopback; host also "
                + "allows RUN --network=host.", valueName: "mode"))
    var network = "default"
}

extension ProgressMode: ExpressibleByArgument {}
