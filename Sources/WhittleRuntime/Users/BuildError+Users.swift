public import WhittleCore

extension BuildError.Code {
    /// `USER`, or `--chown`, names a user that the image does not have.
    public static let unknownUser = BuildError.Code(rawValue: "unknown-user")
    /// `USER`, or `--chown`, names a group that the image does not have.
    public static let unknownGroup = BuildError.Code(rawValue: "unknown-group")
}

extension BuildError {
    /// `known` is `nil` where the image has no such file.
    static func unknownUser(_ name: String, path: String, known: [String]?) -> BuildError {
        unknownAccount(.unknownUser, "user", name, path: path, known: known, command: "useradd")
    }

    /// `known` is `nil` where the image has no such file.
    static func unknownGroup(_ name: String, path: String, known: [String]?) -> BuildError {
        unknownAccount(.unknownGroup, "group", name, path: path, known: known, command: "groupadd")
    }

    static func identifierOutOfRange(_ text: String, what: String) -> BuildError {
        BuildError(
            what == "group" ? .unknownGroup : .unknownUser,
            "\(what) number '\(text.prefix(32))' is out of range", hint: "use a number from 0 to 2147483647")
    }

    private static func unknownAccount(
        _ code: Code, _ what: String, _ name: String, path: String, known: [String]?, command: String
    ) -> BuildError {
        guard let known else {
            return BuildError(
                code, "no \(what) '\(name)': the image has no file '\(path)'",
                hint:
                    "use a number: an image from scratch has no users, and COPY --link does not see those of the stage")
        }
        return BuildError(
            code, "no \(what) '\(name)' in '\(path)' of the image",
            hint: NearestName.of(name, among: known).map { "did you mean '\($0)'?" }
                ?? "create it in an earlier step (RUN \(command) \(name)), or use a number")
    }
}
