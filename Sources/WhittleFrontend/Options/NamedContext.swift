public import WhittleCore
public import WhittleGraph
public import WhittleOCI

/// What `--build-context NAME=VALUE` puts in the place of the stage or image NAME.
public enum NamedContext: Hashable, Sendable {
    /// A directory of the user's machine, read in place.
    case directory(path: String, ignore: IgnoreRules)
    /// An image of a registry or of the store.
    case image(ImageReference)
    /// An image of an OCI image layout on disk.
    case layout(LayoutReference)
    /// One file named `context` that is downloaded: an `http` or `https` URL, as BuildKit takes it.
    case http(HTTPSource)
    /// A tree of a git repository.
    case git(GitSource)
    /// Nothing: `docker-image://scratch`.
    case scratch
    /// What another build makes, which becomes a part of this one: one for each of its platforms, at least one.
    case planned([PlannedContext])
}

/// A planned build whose target stands for a stage or an image of another build.
public struct PlannedContext: Hashable, Sendable {
    /// What the build is called.
    public let name: String
    public let plan: BuildPlan

    public init(name: String, plan: BuildPlan) {
        self.name = name
        self.plan = plan
    }

    /// By name and platform: two builds of one name are the same one.
    public static func == (left: PlannedContext, right: PlannedContext) -> Bool {
        left.name == right.name && left.platform == right.platform
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// The platform that the target's image is for.
    public var platform: Platform { plan.configuration.platform }
}

extension NamedContext {
    /// Reads the argument of `--build-context`.
    ///
    /// The name is normalised as an image's name is, so that `node:latest`, `node` and `docker.io/library/node` are the
    /// same context. The ignore rules of a directory are empty: whoever reads its `.dockerignore` fills them in.
    ///
    /// - Throws: `invalid-build-context`, `invalid-git-address`.
    public static func parse(_ argument: String) throws(BuildError) -> (name: String, context: NamedContext) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
            throw .invalidBuildContext(argument, "expected NAME=VALUE")
        }
        let written = String(argument[..<equals])
        let value = String(argument[argument.index(after: equals)...])
        guard !value.isEmpty else { throw .invalidBuildContext(argument, "there is no value after '='") }
        return (try name(written, of: argument), try context(value, of: argument))
    }

    /// The form of a context's name that ``BuildOptions/namedContexts`` has.
    ///
    /// - Parameter argument: what the error shows.
    /// - Throws: `invalid-build-context`.
    public static func name(_ written: String, of argument: String) throws(BuildError) -> String {
        guard let name = normalisedName(written) else {
            throw .invalidBuildContext(argument, "'\(written)' cannot be the name of a stage or image")
        }
        guard name != "scratch", name != "context" else {
            throw .invalidBuildContext(argument, "the name '\(name)' is reserved")
        }
        return name
    }

    /// The context that an address means; `nil` for a path.
    ///
    /// - Throws: `invalid-git-address`.
    public static func remote(_ value: String) throws(BuildError) -> NamedContext? {
        do throws(GitAddress.Invalid) {
            if let source = try GitAddress.parse(value, isContext: true) { return .git(source) }
        } catch {
            throw .invalidGitAddress(error, at: nil)
        }
        // The name that BuildKit gives.
        return RemoteSource(value) == .http ? .http(HTTPSource(url: Redacted(value), fileName: "context")) : nil
    }

    private static func context(_ value: String, of argument: String) throws(BuildError) -> NamedContext {
        func rest(after scheme: String) -> String? {
            value.hasPrefix(scheme) ? String(value.dropFirst(scheme.count)) : nil
        }
        if let text = rest(after: "docker-image://") {
            if text == "scratch" { return .scratch }
            do throws(ImageReference.Invalid) {
                return .image(try ImageReference(parsing: text))
            } catch {
                throw .invalidImageReference(text, error)
            }
        }
        if let text = rest(after: "oci-layout://") { return .layout(try layout(text, of: argument)) }
        if let remote = try remote(value) { return remote }
        if RemoteSource(value) != nil { throw .invalidGitAddress(GitAddress.Invalid("it is no address"), at: nil) }
        if value.hasPrefix("target:") { throw .unsupportedContext() }
        return .directory(path: value, ignore: IgnoreRules())
    }

    private static func layout(_ text: String, of argument: String) throws(BuildError) -> LayoutReference {
        var path = text[...]
        var digest: Digest?
        if let at = path.lastIndex(of: "@") {
            do throws(Digest.Invalid) {
                digest = try Digest(parsing: String(path[path.index(after: at)...]))
            } catch {
                throw .invalidBuildContext(argument, "'\(path[path.index(after: at)...])' is no digest")
            }
            path = path[..<at]
        }
        var tag: String?
        // At the first colon of the last component, as skopeo and buildx do: a tag may be a whole name, `node:16`.
        let last = path.lastIndex(of: "/") ?? path.startIndex
        if let colon = path[last...].firstIndex(of: ":") {
            tag = String(path[path.index(after: colon)...])
            path = path[..<colon]
        }
        guard !path.isEmpty, tag != "" else {
            throw .invalidBuildContext(argument, "expected oci-layout://PATH[:TAG][@DIGEST]")
        }
        return LayoutReference(path: String(path), tag: tag, digest: digest)
    }

    /// The form of an image or stage name that contexts are looked up with; `nil` where `name` is no image name.
    static func normalisedName(_ name: String) -> String? {
        // A text that is no image name names no context either; whoever uses it as an image gets the reason.
        guard let reference = try? ImageReference(parsing: name) else { return nil }
        let familiar = reference.familiarName
        return familiar.hasSuffix(":latest") ? String(familiar.dropLast(":latest".count)) : familiar
    }
}
