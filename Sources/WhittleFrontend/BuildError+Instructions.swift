public import WhittleCore

extension BuildError.Code {
    /// A variable comes to more than the kernel takes.
    public static let expansionTooLong = BuildError.Code(rawValue: "expansion-too-long")
    /// The variables of a stage, or what stages hand down to each other, take more memory than anybody could mean.
    public static let tooManyVariables = BuildError.Code(rawValue: "too-many-variables")
    /// `SOURCE_DATE_EPOCH` is no number of seconds.
    public static let invalidEpoch = BuildError.Code(rawValue: "invalid-source-date-epoch")
    /// `--chown` is no user and group.
    public static let invalidOwner = BuildError.Code(rawValue: "invalid-owner")
    /// `--chmod` is no mode.
    public static let invalidMode = BuildError.Code(rawValue: "invalid-mode")
    /// EXPOSE has a word that is no port.
    public static let invalidPort = BuildError.Code(rawValue: "invalid-port")
    /// STOPSIGNAL has a word that is no signal.
    public static let invalidSignal = BuildError.Code(rawValue: "invalid-signal")
    /// VOLUME has an empty path.
    public static let emptyVolume = BuildError.Code(rawValue: "empty-volume")
    /// RUN in JSON form has no words.
    public static let emptyCommand = BuildError.Code(rawValue: "empty-command")
    /// `RUN --mount` has a target or name that cannot be.
    public static let invalidMount = BuildError.Code(rawValue: "invalid-mount")
    /// COPY has a URL or repository as its source.
    public static let remoteCopy = BuildError.Code(rawValue: "remote-copy")
    /// ADD of a URL into a directory, and the URL names no file.
    public static let urlWithoutName = BuildError.Code(rawValue: "url-without-name")
    /// `--checksum` is no digest, or stands where it has no meaning.
    public static let invalidChecksum = BuildError.Code(rawValue: "invalid-checksum")
    /// A comment behind an instruction would be taken for arguments.
    public static let trailingComment = BuildError.Code(rawValue: "trailing-comment")
}

extension BuildError {
    static func expansionTooLong(_ word: String, limit: Int, at location: SourceLocation?) -> BuildError {
        BuildError(
            .expansionTooLong, "'\(excerpt(word))' comes to more than \(ByteCount(Int64(limit)))",
            hint: "keep large values in a file: the kernel passes no variable longer than 128 KiB to a program",
            at: location)
    }

    static func environmentTooLarge(limit: Int, at location: SourceLocation) -> BuildError {
        BuildError(
            .tooManyVariables, "the variables of the stage take more than \(ByteCount(Int64(limit)))",
            hint: "the kernel starts no program with more; keep large values in files", at: location)
    }

    static func planTooLarge(limit: Int, at location: SourceLocation) -> BuildError {
        BuildError(
            .tooManyVariables, "variables and history of all stages take more than \(ByteCount(Int64(limit)))",
            hint: "fewer or smaller ENV and ARG, or fewer stages on top of each other", at: location)
    }

    static func invalidEpoch(_ text: String, at location: SourceLocation?) -> BuildError {
        BuildError(
            .invalidEpoch, "SOURCE_DATE_EPOCH '\(excerpt(text))' is no number of seconds",
            hint: NearestName.of(text, among: ["context"]).map { "did you mean '\($0)'?" }
                ?? "give the seconds since 1970-01-01, for instance those of 'git log -1 --pretty=%ct'",
            at: location)
    }

    static func invalidOwner(_ text: String, _ reason: OwnerText.Invalid, at location: SourceLocation) -> BuildError {
        BuildError(
            .invalidOwner, "--chown '\(excerpt(text))': \(reason.sentence)",
            hint: "write USER or USER:GROUP, names or numbers", at: location)
    }

    static func invalidUser(_ text: String, _ reason: OwnerText.Invalid, at location: SourceLocation) -> BuildError {
        BuildError(
            .invalidOwner, "USER '\(excerpt(text))' cannot own the directory that WORKDIR makes: \(reason.sentence)",
            hint: "write USER as NAME or NAME:GROUP, names or numbers", at: location)
    }

    static func invalidMode(_ text: String, _ reason: FileModeText.Invalid, at location: SourceLocation) -> BuildError {
        let message =
            switch reason {
            case .notOctal: "it is no octal number between 0 and 7777"
            case .notSymbolic: "it is no mode"
            }
        return BuildError(
            .invalidMode, "--chmod '\(excerpt(text))': \(message)",
            hint: "write it as chmod takes it, for instance 755 or u=rwX,go=rX", at: location)
    }

    static func invalidPort(
        _ text: String, _ reason: PortSpecification.Invalid, at location: SourceLocation
    ) -> BuildError {
        let message =
            switch reason {
            case .noPort: "there is no port number"
            case .invalidProtocol(let name): "'\(excerpt(name))' is no protocol"
            case .notANumber(let port): "'\(excerpt(port))' is no port number"
            case .outOfRange(let port): "'\(excerpt(port))' is above 65535"
            case .descendingRange(let range): "the range '\(excerpt(range))' ends before it begins"
            case .invalidAddress(let address): "'\(excerpt(address))' is no address"
            case .rangesDiffer: "the host ports are not as many as the container's"
            }
        let hint =
            text.hasPrefix("#")
            ? "a comment needs a line of its own" : "write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"
        return BuildError(.invalidPort, "EXPOSE '\(excerpt(text))': \(message)", hint: hint, at: location)
    }

    static func invalidSignal(_ text: String, at location: SourceLocation) -> BuildError {
        let name = text.uppercased().hasPrefix("SIG") ? String(text.dropFirst(3)) : text
        let nearest = NearestName.of(name, among: StopSignal.names).map { "did you mean 'SIG\($0)'?" }
        return BuildError(
            .invalidSignal, "STOPSIGNAL '\(excerpt(text))' is no signal",
            hint: nearest ?? "write a name such as SIGTERM, or a number from 1 to 64", at: location)
    }

    static func emptyVolume(_ written: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .emptyVolume, "VOLUME '\(excerpt(written))' comes to an empty path",
            hint: "declare the variable with ARG or ENV in this stage, or write the path", at: location)
    }

    static func emptyCommand(at location: SourceLocation) -> BuildError {
        BuildError(
            .emptyCommand, "RUN [] has no command", hint: "name the program: RUN [\"program\", \"argument\"]",
            at: location)
    }

    static func mountOverRoot(written: String, at location: SourceLocation) -> BuildError {
        let hint =
            if written.isEmpty {
                "give the mount a target: target=/PATH"
            } else if written.hasPrefix("/") {
                "give a directory below '/' as target"
            } else {
                "'\(excerpt(written))' is '/' in this working directory: set WORKDIR before, or write target=/PATH"
            }
        return BuildError(.invalidMount, "a mount cannot cover '/'", hint: hint, at: location)
    }

    static func mountWithoutName(_ type: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .invalidMount, "a \(type) mount has neither id nor target", hint: "name the secret: id=NAME", at: location)
    }

    static func remoteCopy(_ source: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .remoteCopy, "COPY cannot take '\(excerpt(source))': it is no path",
            hint: "COPY takes files of the build context, a stage or an image; ADD downloads", at: location)
    }

    static func invalidChecksum(_ text: String, _ reason: Digest.Invalid, at location: SourceLocation) -> BuildError {
        BuildError(
            .invalidChecksum, "'--checksum=\(excerpt(text))' is no digest: \(sentence(reason))",
            hint: "the form is sha256: and the 64 hex digits that sha256sum prints", at: location)
    }

    private static func sentence(_ reason: Digest.Invalid) -> String {
        switch reason {
        case .noSeparator: "it has no ':'"
        case .unsupportedAlgorithm(let name): "'\(excerpt(name))' is not supported, only sha256"
        case .wrongLength(let count): "it has \(count) digits instead of 64"
        case .notLowercaseHex: "it has characters other than 0-9 and a-f"
        }
    }

    static func checksumOfSeveral(at location: SourceLocation) -> BuildError {
        BuildError(
            .invalidChecksum, "--checksum is for one source, and this ADD has several",
            hint: "write an ADD for each of them", at: location)
    }

    /// - Parameter url: without what may be secret in it.
    static func urlWithoutName(_ url: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .urlWithoutName,
            "'\(excerpt(url))' does not say what to call the file in the directory that it is added to",
            hint: "end the destination with a file name instead of '/'", at: location)
    }

    static func checksumOfLocalFile(at location: SourceLocation) -> BuildError {
        BuildError(
            .invalidChecksum, "--checksum is only for URLs and git repositories",
            hint: "remove --checksum: files of the build context are compared by their contents anyway", at: location)
    }

    static func trailingComment(instruction: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .trailingComment, "\(instruction) has a comment behind it, whose words would be taken for arguments",
            hint: "put the comment on a line of its own: '#' begins one only at the start of a line", at: location)
    }

    private static func excerpt(_ text: String) -> String { text.count > 80 ? text.prefix(80) + "…" : text }
}

extension OwnerText.Invalid {
    /// The broken rule in words.
    fileprivate var sentence: String {
        switch self {
        case .noUser: "there is no user before ':'"
        case .noGroup: "there is no group after ':'"
        case .tooManyParts: "there is more than one ':'"
        case .forbiddenCharacter: "a name has no blanks, slashes or control characters"
        case .numberTooLarge(let number): "\(number.prefix(24)) is no user or group number"
        }
    }
}
