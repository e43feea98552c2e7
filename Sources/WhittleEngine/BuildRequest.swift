package import WhittleCore
package import WhittleGraph

/// Everything a build is told from outside, already read and parsed.
package struct BuildRequest: Sendable {
    /// The Dockerfile's text and the name that errors show.
    package var dockerfile: [UInt8]
    package var dockerfileName: String
    /// The directory that `COPY` and `ADD` read from, or `nil` where the build has none.
    package var contextDirectory: String?
    /// The ignore file of the context, if there is one.
    package var ignoreFile: IgnoreFile?
    package var target: String?
    /// In the order given; a later one of the same name wins.
    package var buildArguments: [(name: String, value: String)] = []
    package var labels: [(name: String, value: String)] = []
    package var platform: Platform?
    /// `--build-context NAME=VALUE`.
    package var namedContexts: [String: String] = [:]
    package var ignoresCache = false
    /// Stages whose steps ignore the cache.
    package var ignoredCacheStages: Set<String> = []
    /// Asks the registry for base images even where the store has them.
    package var pullsAlways = false
    package var secrets: [String: Redacted<[UInt8]>] = [:]
    package var network = NetworkMode.host
    /// How many steps run at once.
    package var stepLimit: Int
    /// Name or path of the OCI runtime.
    package var runtime: String

    package init(dockerfile: [UInt8], dockerfileName: String, stepLimit: Int, runtime: String) {
        self.dockerfile = dockerfile
        self.dockerfileName = dockerfileName
        self.stepLimit = stepLimit
        self.runtime = runtime
    }
}

/// The text of an ignore file.
package struct IgnoreFile: Sendable {
    /// As shown to people: `.dockerignore`.
    package var name: String
    package var contents: [UInt8]

    package init(name: String, contents: [UInt8]) {
        self.name = name
        self.contents = contents
    }
}
