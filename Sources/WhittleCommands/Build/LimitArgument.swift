internal import WhittleCore
internal import WhittleGraph

/// A value of `--ulimit`: `NAME=SOFT[:HARD]`, with docker's names; `-1` is no limit.
struct LimitArgument {
    let limit: ResourceLimit

    /// As docker knows them: those of getrlimit(2) without the address space, which docker leaves alone.
    static let names = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ]

    /// - Throws: `invalid-argument`.
    init(parsing text: String) throws(BuildError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw .invalidArgument("--ulimit", text, "it has no value", hint: "the form is NAME=SOFT[:HARD]")
        }
        guard Self.names.contains(parts[0]) else {
            throw .invalidArgument(
                "--ulimit", text, "there is no limit '\(parts[0])'",
                hint: NearestName.of(parts[0], among: Self.names).map { "did you mean '\($0)'?" }
                    ?? "it is one of \(Self.names.joined(separator: ", "))")
        }
        let values = parts[1].split(separator: ":", omittingEmptySubsequences: false).map { Self.number($0) }
        guard (1...2).contains(values.count), let soft = values[0], let hard = values.last ?? nil else {
            throw .invalidArgument(
                "--ulimit", text, "'\(parts[1])' is no limit",
                hint: "write a number, two with a colon between them, or -1 for no limit")
        }
        guard soft <= hard else {
            throw .invalidArgument(
                "--ulimit", text, "the soft limit is above the hard one", hint: "the form is NAME=SOFT:HARD")
        }
        limit = ResourceLimit(name: parts[0], soft: soft, hard: hard)
    }

    private static func number(_ text: Substring) -> UInt64? {
        text == "-1" ? .max : text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(text) : nil
    }
}
