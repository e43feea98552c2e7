internal import WhittleCore

extension BuildError.Code {
    static let unknownInstruction = Self(rawValue: "unknown-instruction")
    static let gluedInstruction = Self(rawValue: "glued-instruction")
    static let markupInText = Self(rawValue: "markup-in-text")
    static let unknownFlag = Self(rawValue: "unknown-flag")
    static let missingFlagValue = Self(rawValue: "missing-flag-value")
    static let repeatedFlag = Self(rawValue: "repeated-flag")
    static let badFlagValue = Self(rawValue: "bad-flag-value")
    static let wrongArgumentCount = Self(rawValue: "wrong-argument-count")
    static let badStageName = Self(rawValue: "bad-stage-name")
    static let noStage = Self(rawValue: "no-stage")
    static let blankName = Self(rawValue: "blank-name")
    static let heredocDestination = Self(rawValue: "heredoc-destination")
    static let badOnbuildTrigger = Self(rawValue: "bad-onbuild-trigger")
    static let badHealthcheck = Self(rawValue: "bad-healthcheck")
    static let shellNotJSON = Self(rawValue: "shell-not-json")
    static let blankVolume = Self(rawValue: "blank-volume")
}

/// Errors of what an instruction says.
extension BuildError {
    static func unknownInstruction(_ keyword: String, hint: String?, at place: SourceLocation) -> BuildError {
        let name = Excerpt.of(keyword)
        return BuildError(.unknownInstruction, "there is no instruction '\(name)'", hint: hint, at: place)
    }

    static func gluedInstruction(_ fault: GluedInstruction, at place: SourceLocation) -> BuildError {
        BuildError(.gluedInstruction, fault.message, hint: fault.hint, at: place)
    }

    static func markupInText(_ fault: MarkupInText, also: GluedInstruction?, at place: SourceLocation) -> BuildError {
        BuildError(
            .markupInText, fault.message, hint: fault.hint + (also.map { "; then \($0.hint)" } ?? ""), at: place)
    }

    static func unknownFlag(
        _ name: String, of keyword: String, known: [String], at place: SourceLocation
    ) -> BuildError {
        let hint: String
        if let near = NearestName.of(name, among: known) {
            hint = "did you mean '--\(near)'?"
        } else if known.isEmpty {
            hint = "\(keyword) has no flags; write '--' in front of arguments that begin with '--'"
        } else {
            hint = "\(keyword) knows \(known.map { "--\($0)" }.joined(separator: ", "))"
        }
        return BuildError(.unknownFlag, "\(keyword) has no flag '--\(Excerpt.of(name))'", hint: hint, at: place)
    }

    static func missingFlagValue(_ name: String, of keyword: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .missingFlagValue, "the flag '--\(name)' of \(keyword) has no value", hint: "write '--\(name)=VALUE'",
            at: place)
    }

    static func repeatedFlag(_ name: String, of keyword: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .repeatedFlag, "the flag '--\(name)' of \(keyword) is given a second time", hint: "keep one of them",
            at: place)
    }

    static func badFlagValue(
        _ value: String, of flag: String, expected: String, known: [String] = [], at place: SourceLocation
    ) -> BuildError {
        let near = NearestName.of(value, among: known).map { "did you mean '\($0)'?" }
        return BuildError(
            .badFlagValue, "the flag '--\(flag)' cannot be '\(Excerpt.of(value))'", hint: near ?? expected, at: place)
    }

    static func wrongArgumentCount(
        _ keyword: String, found: String, hint: String, at place: SourceLocation
    ) -> BuildError {
        BuildError(.wrongArgumentCount, "\(keyword) has \(found)", hint: hint, at: place)
    }

    static func badStageName(_ name: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .badStageName, "a stage cannot be named '\(Excerpt.of(name))'",
            hint: "a stage's name begins with a letter and goes on with letters, digits, '-', '_' and '.'", at: place)
    }

    static func noStage(_ keyword: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .noStage, "\(keyword) stands above the first FROM",
            hint: "begin the file with FROM; only ARG may stand above it", at: place)
    }

    static func blankName(_ keyword: String, at place: SourceLocation) -> BuildError {
        BuildError(.blankName, "\(keyword) has a value without a name", hint: "write NAME=VALUE", at: place)
    }

    static func heredocDestination(_ keyword: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .heredocDestination, "\(keyword) has a heredoc as its destination",
            hint: "the last argument is a path: '\(keyword) <<NAME /path'", at: place)
    }

    static func badOnbuildTrigger(_ keyword: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .badOnbuildTrigger, "\(keyword) cannot be a trigger of ONBUILD",
            hint: "a trigger is any instruction but FROM, MAINTAINER and ONBUILD", at: place)
    }

    /// A trigger of an image's configuration that is not exactly one instruction.
    static func badTriggerText(of image: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .badOnbuildTrigger, "an ONBUILD trigger of the image '\(image)' is not one instruction",
            hint: "the image's configuration is at fault: build that image anew", at: place)
    }

    static func badHealthcheck(_ message: String, hint: String, at place: SourceLocation) -> BuildError {
        BuildError(.badHealthcheck, message, hint: hint, at: place)
    }

    static func shellNotJSON(at place: SourceLocation) -> BuildError {
        BuildError(
            .shellNotJSON, "the words of SHELL are not a JSON array",
            hint: "write for instance SHELL [\"/bin/bash\", \"-c\"]", at: place)
    }

    static func blankVolume(at place: SourceLocation) -> BuildError {
        BuildError(.blankVolume, "VOLUME has an empty path", hint: "write a path, for instance /data", at: place)
    }
}
