package import WhittleCore
package import WhittleFrontend
package import WhittleRuntime
package import WhittleSSH

/// Everything a build is told from outside, already read and parsed.
package struct BuildRequest: Sendable {
    /// The Dockerfile's text and the name that errors show.
    package var dockerfile: [UInt8]
    package var dockerfileName: String
    /// What the frontend is told, ignore rules of the context included.
    package var options = BuildOptions()
    /// The platforms of the image, each once and in the order of its index. None is the machine's own, as
    /// ``WhittleFrontend/BuildOptions/platform`` without a value has it; what that says counts for nothing here.
    package var platforms: [Platform] = []
    /// The directory that `COPY` and `ADD` read from, or `nil` where the build has none.
    package var contextDirectory: String?
    /// A context that is no directory; it takes the place of ``contextDirectory``, and has the Dockerfile unless it says
    /// otherwise.
    package var remoteContext: RemoteContext?
    /// Asks the registry for base images even where the store has them.
    package var pullsAlways = false
    /// Says at the end how large the files after each step are, which takes a look at each file that steps wrote.
    package var measures = false
    /// Says of each step why it ran or did not.
    package var explains = false
    /// All files that the build adds to the image get the time of ``WhittleFrontend/BuildOptions/sourceDateEpoch``.
    package var setsAllTimes = false
    /// Lets a person look at the step that fails first; `nil` for nobody.
    package var failureShell: FailureShell?
    /// A layer of a base image, or an archive of ADD, that unpacks to more than this is refused; `nil` for no limit.
    package var layerLimit: ByteCount?
    package var secrets: [String: Redacted<[UInt8]>] = [:]
    /// What `--ssh` gives, by id.
    package var agents: [String: SSHForward] = [:]
    /// Where descriptions of devices are, for `RUN --device`.
    package var deviceDirectories = DeviceRegistry.standardDirectories
    /// The image's own layers become one.
    package var squashes = false
    /// What each step may use of the machine; in no cache key, because it changes no result.
    package var resources = StepResources()
    /// How many steps run at once.
    package var stepLimit: Int
    /// Name or path of the OCI runtime.
    package var runtime: String

    /// The same for one of its platforms at a time.
    var eachPlatform: [BuildRequest] {
        let showsPlatforms = platforms.count > 1 || options.asksForIndex
        return (platforms.isEmpty ? [nil] : platforms.map { Optional($0) }).map { platform in
            var request = self
            request.platforms = platform.map { [$0] } ?? []
            request.options.platform = platform
            request.options.showsPlatforms = showsPlatforms
            return request
        }
    }

    /// The local directories by the names that its Dockerfile knows: `context`, and those of named contexts.
    var localDirectories: [String: String] {
        var directories: [String: String] = [:]
        if let contextDirectory { directories["context"] = contextDirectory }
        for (name, context) in options.namedContexts {
            if case .directory(let path, _) = context { directories[name] = path }
        }
        return directories
    }

    package init(dockerfile: [UInt8], dockerfileName: String, stepLimit: Int, runtime: String) {
        self.dockerfile = dockerfile
        self.dockerfileName = dockerfileName
        self.stepLimit = stepLimit
        self.runtime = runtime
    }
}
