internal import WhittleCore

/// One variable as `--env` and lines of `--env-file` name it: `NAME=VALUE`, or `NAME` for that of this process.
struct EnvironmentLine: Equatable {
    /// `NAME=VALUE`; `nil` where the variable was to come from the environment and is not set there.
    let assignment: String?

    /// - Throws: `invalid-argument` where there is no name.
    init(
        _ text: String, _ option: String, environment: (String) -> String? = { StoreOptions.set($0) }
    ) throws(BuildError) {
        guard text.utf8.first != UInt8(ascii: "="), !text.isEmpty else {
            throw .invalidArgument(option, text, "it has no name", hint: "the form is NAME=VALUE")
        }
        assignment = text.utf8.contains(UInt8(ascii: "=")) ? text : environment(text).map { "\(text)=\($0)" }
    }

    /// The variables in a file: one a line, as it stands, without quotes or escapes. Empty lines and those that begin with
    /// `#` are passed over, and blanks in front.
    ///
    /// - Throws: `invalid-argument` with the line where a name is missing or has blanks.
    static func assignments(
        inFile bytes: [UInt8], environment: (String) -> String? = { StoreOptions.set($0) }
    ) throws(BuildError) -> [String] {
        var result: [String] = []
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...]
        for line in text.split(separator: 0x0a) {
            let line = String(decoding: line.last == 0x0d ? line.dropLast() : line, as: UTF8.self)
                .drop { $0 == " " || $0 == "\t" }
            if line.isEmpty || line.hasPrefix("#") { continue }
            let name = line.prefix { $0 != "=" }
            guard !name.contains(where: { $0 == " " || $0 == "\t" }) else {
                throw .invalidArgument(
                    "--env-file", String(name), "the name of a variable has no blanks",
                    hint: "write NAME=VALUE, without blanks around '='")
            }
            if let assignment = try EnvironmentLine(String(line), "--env-file", environment: environment).assignment {
                result.append(assignment)
            }
        }
        return result
    }
}
