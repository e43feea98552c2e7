internal import WhittleCore

extension BuildError.Code {
    static let badMount = Self(rawValue: "bad-mount")
    static let unknownMountOption = Self(rawValue: "unknown-mount-option")
    static let badDevice = Self(rawValue: "bad-device")
}

/// Errors of `RUN --mount` and `RUN --device`.
extension BuildError {
    static func badMount(_ message: String, hint: String, at place: SourceLocation?) -> BuildError {
        BuildError(.badMount, message, hint: hint, at: place)
    }

    static func badMountValue(
        _ value: String, of key: String, expected: String, known: [String] = [], at place: SourceLocation?
    ) -> BuildError {
        let near = NearestName.of(value, among: known).map { "did you mean '\($0)'?" }
        return .badMount(
            "the mount option '\(key)' cannot be '\(Excerpt.of(value))'", hint: near ?? expected, at: place)
    }

    static func mountOptionNotAllowed(_ key: String, for type: RunMount.Kind, at place: SourceLocation?) -> BuildError {
        .badMount(
            "a mount of type '\(type.rawValue)' has no option '\(key)'",
            hint: "leave '\(key)' out, or choose another type", at: place)
    }

    static func unknownMountOption(_ key: String, known: [String], at place: SourceLocation?) -> BuildError {
        let near = NearestName.of(key, among: known).map { "did you mean '\($0)'?" }
        return BuildError(
            .unknownMountOption, "there is no mount option '\(Excerpt.of(key))'",
            hint: near ?? "known are \(known.joined(separator: ", "))", at: place)
    }

    static func mountOptionWithoutValue(_ field: String, at place: SourceLocation?) -> BuildError {
        .badMount(
            "the mount option '\(Excerpt.of(field))' has no value", hint: "write '\(Excerpt.of(field))=VALUE'",
            at: place)
    }

    static func variableInMountFrom(at place: SourceLocation) -> BuildError {
        .badMount(
            "the mount option 'from' has a variable",
            hint: "write 'FROM $IMAGE AS NAME' above this stage, and 'from=NAME' here", at: place)
    }

    static func badFieldList(_ flag: String, _ reason: String, at place: SourceLocation) -> BuildError {
        BuildError(
            flag == "mount" ? .badMount : .badDevice,
            "the value of '--\(flag)' is not a list of fields: \(reason)",
            hint: "separate fields by commas, and put a field that has a comma in double quotes", at: place)
    }

    static func badDevice(_ message: String, hint: String, at place: SourceLocation) -> BuildError {
        BuildError(.badDevice, message, hint: hint, at: place)
    }
}
