internal import Glibc
internal import Synchronization
internal import WhittleCore
internal import WhittleFrontend

/// Whether and with what the steps of a build are explained.
struct ExplanationSettings: Sendable {
    let areWanted: Bool
    /// `--no-cache` was given, and not only a filter of stages.
    let ignoresCacheEverywhere: Bool
    let scope: BuildScope

    init(_ request: BuildRequest) {
        areWanted = request.explains
        ignoresCacheEverywhere = request.options.noCache
        scope = BuildScope(
            dockerfile: request.dockerfileName, context: request.remoteContext?.name ?? request.contextDirectory)
    }
}

/// Tells builds of one Dockerfile over one context from all others: steps are compared within it.
final class BuildScope: Sendable {
    private let dockerfile: String
    private let context: String?
    private let found = Mutex<Digest?>(nil)

    init(dockerfile: String, context: String?) {
        self.dockerfile = dockerfile
        self.context = context
    }

    /// Named by the real paths of both; looked up when it is first asked for, which a cached build never does.
    var digest: Digest {
        found.withLock { found in
            if let found { return found }
            var hasher = SHA256Hasher()
            hasher.update(field: "whittle.scope.v1")
            hasher.update(field: Self.realPath(dockerfile))
            hasher.update(field: context.map(Self.realPath) ?? "")
            let digest = hasher.finalize()
            found = digest
            return digest
        }
    }

    /// The text itself for what is no path, such as the name of a Dockerfile that came through standard input.
    private static func realPath(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
