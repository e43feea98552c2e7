/// The checks of Dockerfiles, by the names that docker and BuildKit gave them.
///
/// When each one fires is BuildKit's rule (frontend 1.26); the texts are whittle's. `docs/checks.md` has an example of each.
public enum LintRule: String, CaseIterable, Hashable, Sendable {
    case stageNameCasing = "StageNameCasing"
    case fromAsCasing = "FromAsCasing"
    case noEmptyContinuation = "NoEmptyContinuation"
    case consistentInstructionCasing = "ConsistentInstructionCasing"
    case duplicateStageName = "DuplicateStageName"
    case reservedStageName = "ReservedStageName"
    case jsonArgsRecommended = "JSONArgsRecommended"
    case maintainerDeprecated = "MaintainerDeprecated"
    case undefinedArgInFrom = "UndefinedArgInFrom"
    case workdirRelativePath = "WorkdirRelativePath"
    case undefinedVar = "UndefinedVar"
    case multipleInstructionsDisallowed = "MultipleInstructionsDisallowed"
    case legacyKeyValueFormat = "LegacyKeyValueFormat"
    case invalidBaseImagePlatform = "InvalidBaseImagePlatform"
    case redundantTargetPlatform = "RedundantTargetPlatform"
    case secretsUsedInArgOrEnv = "SecretsUsedInArgOrEnv"
    case invalidDefaultArgInFrom = "InvalidDefaultArgInFrom"
    case fromPlatformFlagConstDisallowed = "FromPlatformFlagConstDisallowed"
    case copyIgnoredFile = "CopyIgnoredFile"
    case invalidDefinitionDescription = "InvalidDefinitionDescription"
    case exposeProtoCasing = "ExposeProtoCasing"
    case exposeInvalidFormat = "ExposeInvalidFormat"
}

extension LintRule {
    /// As `# check=skip=` has it.
    public var name: String { rawValue }

    /// Whether the rule is silent until `experimental=` asks for it.
    public var isExperimental: Bool { self == .invalidDefinitionDescription }

    /// What the rule wants, in one sentence.
    public var description: String {
        switch self {
        case .stageNameCasing: "names of stages are written in lower case"
        case .fromAsCasing: "FROM and AS are written in the same casing"
        case .noEmptyContinuation: "a continued instruction has no empty lines inside; they are to become an error"
        case .consistentInstructionCasing: "all instructions of a file are written in one casing"
        case .duplicateStageName: "no two stages have the same name"
        case .reservedStageName: "no stage is named 'scratch' or 'context', which mean something else"
        case .jsonArgsRecommended:
            "CMD and ENTRYPOINT are JSON arrays: a shell in between does not pass signals on to the program"
        case .maintainerDeprecated: "MAINTAINER is deprecated; a label names the author"
        case .undefinedArgInFrom: "a variable in FROM is declared by an ARG above the first FROM"
        case .workdirRelativePath:
            "the first WORKDIR of an image is an absolute path: a relative one depends on what the base image sets"
        case .undefinedVar: "a variable is set by ENV or declared by ARG before it is used"
        case .multipleInstructionsDisallowed: "of CMD, ENTRYPOINT and HEALTHCHECK a stage has one: only the last counts"
        case .legacyKeyValueFormat: "ENV and LABEL have a '=' between name and value"
        case .invalidBaseImagePlatform: "a base image is for the platform of the build"
        case .redundantTargetPlatform: "FROM has no --platform=$TARGETPLATFORM, which is the default"
        case .secretsUsedInArgOrEnv: "secrets are not in ARG or ENV, where everybody who has the image can read them"
        case .invalidDefaultArgInFrom: "FROM names an image also where no build argument is given"
        case .fromPlatformFlagConstDisallowed:
            "--platform of FROM is no constant, unless the name of the stage says which platform it is for"
        case .copyIgnoredFile: "COPY and ADD do not take what .dockerignore leaves out"
        case .invalidDefinitionDescription:
            "a comment directly above a named stage or an ARG describes it: '# NAME DESCRIPTION'"
        case .exposeProtoCasing: "the protocol of a port is written in lower case"
        case .exposeInvalidFormat: "EXPOSE names ports of the container, without address or host port"
        }
    }

    /// The page that explains the rule; `nil` where there is none.
    public var url: String? {
        pageName.map { "https://docs.docker.com/go/dockerfile/rule/\($0)/" }
    }

    private var pageName: String? {
        switch self {
        case .stageNameCasing: "stage-name-casing"
        case .fromAsCasing: "from-as-casing"
        case .noEmptyContinuation: "no-empty-continuation"
        case .consistentInstructionCasing: "consistent-instruction-casing"
        case .duplicateStageName: "duplicate-stage-name"
        case .reservedStageName: "reserved-stage-name"
        case .jsonArgsRecommended: "json-args-recommended"
        case .maintainerDeprecated: "maintainer-deprecated"
        case .undefinedArgInFrom: "undefined-arg-in-from"
        case .workdirRelativePath: "workdir-relative-path"
        case .undefinedVar: "undefined-var"
        case .multipleInstructionsDisallowed: "multiple-instructions-disallowed"
        case .legacyKeyValueFormat: "legacy-key-value-format"
        case .invalidBaseImagePlatform: nil
        case .redundantTargetPlatform: "redundant-target-platform"
        case .secretsUsedInArgOrEnv: "secrets-used-in-arg-or-env"
        case .invalidDefaultArgInFrom: "invalid-default-arg-in-from"
        case .fromPlatformFlagConstDisallowed: "from-platform-flag-const-disallowed"
        case .copyIgnoredFile: "copy-ignored-file"
        case .invalidDefinitionDescription: "invalid-definition-description"
        case .exposeProtoCasing: "expose-proto-casing"
        case .exposeInvalidFormat: "expose-invalid-format"
        }
    }
}
