public import WhittleCore
internal import WhittleOCI

extension BuildError.Code {
    /// The Dockerfile has no FROM.
    public static let noStages = BuildError.Code(rawValue: "no-stages")
    /// `--target` names no stage.
    public static let unknownTarget = BuildError.Code(rawValue: "unknown-target")
    /// `COPY --from=NUMBER` names no stage.
    public static let unknownStageNumber = BuildError.Code(rawValue: "unknown-stage-number")
    /// `--from` names a stage that is not above.
    public static let laterStage = BuildError.Code(rawValue: "later-stage")
    /// Stages need each other.
    public static let circularDependency = BuildError.Code(rawValue: "circular-dependency")
    /// FROM comes to no name after its variables are expanded.
    public static let emptyBaseName = BuildError.Code(rawValue: "empty-base-name")
    /// `FROM --platform` comes to no platform.
    public static let invalidPlatform = BuildError.Code(rawValue: "invalid-platform")
    /// `COPY --from` holds a variable.
    public static let variableInFrom = BuildError.Code(rawValue: "variable-in-from")
    /// An ONBUILD of the base image is no instruction that can run there.
    public static let invalidTrigger = BuildError.Code(rawValue: "invalid-trigger")
    /// A target that a build stands on is not built for the platform that it is needed for.
    public static let contextPlatform = BuildError.Code(rawValue: "context-platform")
    /// `--build-context` cannot be read.
    public static let invalidBuildContext = BuildError.Code(rawValue: "invalid-build-context")
}

extension BuildError {
    static func contextForOtherPlatforms(
        _ name: String, _ platform: Platform, available: [Platform], at location: SourceLocation
    ) -> BuildError {
        BuildError(
            .contextPlatform, "the target behind '\(name)' is not built for \(platform)",
            hint: "its platforms are \(available.map { "\($0)" }.joined(separator: ", ")); add \(platform) to them",
            at: location)
    }

    static func noStages(in file: String) -> BuildError {
        BuildError(
            .noStages, "'\(file)' has no stages to build",
            hint: "a Dockerfile begins with FROM; 'FROM scratch' starts from nothing")
    }

    static func unknownTarget(_ name: String, stages: [String], nearest: String?) -> BuildError {
        BuildError(
            .unknownTarget, "no stage is named '\(name)'",
            hint: (nearest.map { "did you mean '\($0)'? " } ?? "") + "the stages are: \(list(stages))")
    }

    static func unknownStageNumber(_ number: Int, count: Int, at location: SourceLocation) -> BuildError {
        BuildError(
            .unknownStageNumber, "there is no stage number \(number)",
            hint: count == 1
                ? "the only stage is number 0" : "stages are counted from 0; the last one is \(count - 1)",
            at: location)
    }

    static func laterStage(_ name: String, than stage: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .laterStage, "stage '\(stage)' takes files from '\(name)', which is defined below it",
            hint: "move the stage '\(name)' above '\(stage)'", at: location)
    }

    static func circularDependency(_ stages: [String], at location: SourceLocation) -> BuildError {
        guard stages.count > 1 else {
            return BuildError(
                .circularDependency, "stage '\(stages.joined())' takes files from itself",
                hint: "its own files are there already: copy them in a RUN, or name another stage", at: location)
        }
        return BuildError(
            .circularDependency, "stages need each other: \((stages + stages.prefix(1)).joined(separator: " → "))",
            hint: "a stage can only take files from stages above it", at: location)
    }

    static func emptyBaseName(
        _ written: String, undefined: [String], globals: GlobalVariables, at location: SourceLocation
    ) -> BuildError {
        BuildError(
            .emptyBaseName, "FROM '\(written)' comes to an empty name",
            hint: undefinedHint(undefined, globals) ?? "name an image or a stage; 'FROM scratch' starts from nothing",
            at: location)
    }

    static func invalidPlatform(
        _ text: String, written: String, undefined: [String], globals: GlobalVariables, at location: SourceLocation
    ) -> BuildError {
        let shown = text == written ? "'\(text)'" : "'\(written)' comes to '\(text)', which"
        return BuildError(
            .invalidPlatform, "\(shown) is no platform",
            hint: undefinedHint(undefined, globals)
                ?? "write OS/ARCHITECTURE, for instance linux/amd64 or linux/arm64", at: location)
    }

    /// What to say about the first variable in FROM that has no value.
    private static func undefinedHint(_ undefined: [String], _ globals: GlobalVariables) -> String? {
        guard let name = undefined.first else { return nil }
        if globals.declared.contains(name) {
            return "ARG \(name) has no value: give it a default, or pass --build-arg \(name)=VALUE"
        }
        if let nearest = NearestName.of(name, among: globals.names.sorted()) { return "did you mean '$\(nearest)'?" }
        return "declare it with 'ARG \(name)=VALUE' above the first FROM: FROM sees no other variables"
    }

    static func variableInFrom(_ text: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .variableInFrom, "--from=\(text): variables are not expanded in --from",
            hint: "name a stage for it, 'FROM \(text) AS NAME' with a global ARG, and use --from=NAME", at: location)
    }

    static func invalidBaseName(
        _ name: String, _ reason: ImageReference.Invalid, undefined: [String], globals: GlobalVariables?,
        stage: String?, at location: SourceLocation
    ) -> BuildError {
        let error = BuildError.invalidImageReference(name, reason, at: location)
        let hint = globals.flatMap { undefinedHint(undefined, $0) } ?? stage.map { "did you mean the stage '\($0)'?" }
        return BuildError(error.code, error.message, hint: hint ?? error.hint, at: location)
    }

    static func invalidTrigger(
        _ expression: String, of base: String, at location: SourceLocation, cause: BuildError
    ) -> BuildError {
        let line = expression.prefix { !$0.isNewline }
        return BuildError(
            .invalidTrigger, "base '\(base)' asks to run 'ONBUILD \(line.prefix(80))', which cannot be done",
            hint: cause.hint, at: location, cause: cause)
    }

    static func invalidBuildContext(_ argument: String, _ reason: String) -> BuildError {
        BuildError(
            .invalidBuildContext, "--build-context '\(argument)': \(reason)",
            hint: "write NAME=DIRECTORY, NAME=docker-image://IMAGE or NAME=oci-layout://DIRECTORY[:TAG]")
    }

    /// The resolver's error, said about the instruction that names the image; where a stage has nearly the same name, it
    /// was probably meant.
    func aboutBase(_ name: String, nearestStage: String?, at location: SourceLocation) -> BuildError {
        let suggestion = nearestStage.map { "did you mean the stage '\($0)'?" }
        let hints = [suggestion, hint].compactMap { $0 }
        return BuildError(
            code, message, hint: hints.isEmpty ? nil : hints.joined(separator: " "), at: self.location ?? location,
            cause: cause)
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).joined(separator: ", ")
        return names.count > 20 ? "\(shown), and \(names.count - 20) more" : shown
    }
}
