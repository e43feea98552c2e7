internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// What a stage has come to after some of its instructions; what a stage on top of it begins with.
struct StageState {
    /// The file system, `nil` while it is empty.
    var root: Edge?
    var image: ImageConfiguration
    /// What the first of the stages was asked for.
    let platform: Platform
    /// What commands see: ENV, and ARG values that were declared.
    var environment = VariableList()
    /// Every ARG of the stage and the stages below it, in order; the value a declaration came to, if any.
    var arguments: [Argument] = []
    /// Where each variable stands in the image's environment.
    private var imageVariables: [String: Int] = [:]

    /// No program could be started with more: the kernel takes arguments and environment up to 6 MiB.
    static let environmentLimit = 6 << 20

    /// About how many bytes a copy takes, when both go on changing.
    var size: Int { 64 * (environment.count + arguments.count + image.history.count + image.config.labels.count) }

    struct Argument {
        let name: String
        let value: String?
    }

    /// `WORKDIR` so far, `/` where none was set.
    var workingDirectory: String {
        image.config.workingDirectory.isEmpty ? "/" : ContainerPath.resolve(image.config.workingDirectory, in: "/")
    }

    /// An empty file system with the configuration that docker gives an image from scratch.
    init(scratchFor platform: Platform) {
        self.platform = platform
        image = ImageConfiguration(platform: platform)
        image.config.workingDirectory = "/"
    }

    /// The file system and configuration of a base image.
    init(base: BaseImage, root: Edge?, platform: Platform) {
        self.platform = platform
        image = base.configuration.inherited
        self.root = root
    }

    /// The file system and configuration that another build makes. Its history is as of a stage: the entries of steps stand
    /// for layers that are yet to be made.
    init(planned configuration: ImageConfiguration, root: Edge?) {
        platform = configuration.platform
        image = configuration
        image.created = nil
        self.root = root
    }

    /// The configuration takes part in the stage on top, and its ONBUILD instructions have had their turn.
    mutating func begin() {
        image.config.onBuild = []
        if !image.config.environment.contains(where: { $0.hasPrefix("PATH=") }) {
            image.config.environment.append("PATH=" + Self.defaultPath)
        }
        for (index, assignment) in image.config.environment.enumerated() {
            let variable = VariableList.split(assignment)
            environment[variable.name] = variable.value
            imageVariables[variable.name] = index
        }
        if !image.config.workingDirectory.isEmpty {
            image.config.workingDirectory = ContainerPath.workingDirectory(
                image.config.workingDirectory, after: "/")
        }
    }

    /// Sets a variable of the image, in its place where it has one.
    mutating func setImageVariable(_ name: String, _ value: String) {
        environment[name] = value
        let assignment = "\(name)=\(value)"
        if let index = imageVariables[name] {
            image.config.environment[index] = assignment
        } else {
            imageVariables[name] = image.config.environment.count
            image.config.environment.append(assignment)
        }
    }

    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

extension ImageConfiguration {
    /// What an image hands down to one that is built on it: what the image specification and docker know. Other members
    /// describe how this image itself came about (docker's `container_config`, inline caches) and end here.
    fileprivate var inherited: ImageConfiguration {
        var image = self
        image.completeHistory()
        image.created = nil
        image.otherMembers = JSONObject()
        if let features = otherMembers["os.features"] { image.otherMembers["os.features"] = features }
        image.config.otherMembers = JSONObject()
        return image
    }
}
