public import WhittleCore
public import WhittleDockerfile
public import WhittleOCI

/// What is known besides the Dockerfile when it is checked.
public struct LintRequest: Sendable {
    /// `--build-arg`.
    public var arguments: [String: String] = [:]
    /// The stage to look at, by name or number.
    public var target: String?
    /// Further ones.
    public var additionalTargets: [String] = []
    /// Looks at every stage where no ``target`` is named, instead of at those that the last one needs.
    public var looksAtAllStages = false
    /// What the image is for.
    public var targetPlatform = Platform.host
    /// What steps run on.
    public var buildPlatform = Platform.host
    /// The patterns of the ignore file; `nil` where there is none.
    public var ignore: IgnorePatterns?
    /// The name of the ignore file, for messages.
    public var ignoreFile: String?
    /// Names of stages that a named context replaces, in lower case.
    public var replacedStages: Set<String> = []
    /// What is known of the base images, by the number of the stage that begins with one.
    ///
    /// Of an image that is not here it is not known which variables it sets: a variable that nothing else sets is found
    /// too, with words that say so, but for those that the usual images of languages set.
    public var images: [Int: ImageConfiguration] = [:]

    public init() {}
}
