internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittlePrograms

#if canImport(Glibc)
    internal import Glibc
#endif

/// An OCI runtime installed on this machine.
package struct RuntimeProgram: Sendable {
    /// What messages call it: `crun`.
    package let name: String
    /// Absolute.
    package let path: String
    package let kind: Kind
    /// Whether it can filter system calls.
    package let hasSeccomp: Bool
    /// Whether it takes a compiled filter (crun since 0.17).
    let takesCompiledSeccomp: Bool
    /// A program that starts the runtime, with arguments that come before the runtime's path.
    private let launcher: [String]

    package enum Kind: Hashable, Sendable {
        case crun, runc
        /// A program that takes runc's arguments.
        case other
    }

    /// Finds a runtime and asks it for its version, which takes some 2 ms. Blocks.
    ///
    /// - Parameters:
    ///   - name: a name to be found in `searchPath`, or a path.
    ///   - searchPath: directories between colons, as in `PATH`.
    ///   - launcher: an absolute path with arguments; it is started in place of the runtime, and gets the runtime's path
    ///     and arguments after its own.
    /// - Throws: `BuildError` (`runtime-missing`, `runtime-failed`).
    package init(_ name: String, searchPath: String, launcher: [String] = []) throws {
        path = try Self.find(name, searchPath: searchPath)
        self.name = name.split(separator: "/").last.map(String.init) ?? name
        self.launcher = launcher
        var text: [UInt8] = []
        let status: WaitStatus
        do throws(Errno) {
            let monitor = ProcessMonitor(cancellation: try CancellationSignal(), teardown: .standard) { output in
                // No version is that long; what goes on for ever is none.
                if text.count < 1 << 16 { text += output.bytes }
            }
            status = try Self.run(path, ["--version"], launcher: launcher, monitor: monitor)
        } catch {
            throw BuildError.runtimeNotStarted(path, error)
        }
        guard status.exitCode == 0 else {
            throw BuildError.runtimeUnusable(path, exitCode: status.exitCode, output: text)
        }
        let version = Version(parsing: String(decoding: text, as: UTF8.self))
        kind = version.kind
        hasSeccomp = version.hasSeccomp
        takesCompiledSeccomp = version.kind == .crun && version.hasSeccomp && version.number >= (0, 17)
    }

    /// Runs it with `arguments`.
    func run(
        _ arguments: [String], monitor: ProcessMonitor, attachment: ProcessAttachment? = nil,
        console: ConsoleSocket? = nil, entrances: [String] = []
    ) throws(Errno) -> WaitStatus {
        try Self.run(
            path, arguments, launcher: launcher, monitor: monitor, attachment: attachment, console: console,
            entrances: entrances)
    }

    private static func run(
        _ path: String, _ arguments: [String], launcher: [String], monitor: ProcessMonitor,
        attachment: ProcessAttachment? = nil, console: ConsoleSocket? = nil, entrances: [String] = []
    ) throws(Errno) -> WaitStatus {
        let command = launcher + [path] + arguments
        // Nothing of this process's environment: it could hold secrets, and runtimes listen to some of it.
        let environment = ["PATH=\(RuntimeSpec.defaultPath)"]
        return try monitor.run(
            command[0], arguments: command, environment: environment, attachment: attachment, console: console,
            entrances: entrances)
    }

    /// The file that `name` means: itself where it has a slash, otherwise the first executable of that name.
    private static func find(_ name: String, searchPath: String) throws(BuildError) -> String {
        let candidates =
            name.utf8.contains(UInt8(ascii: "/"))
            ? [name]
            : searchPath.split(separator: ":").filter { $0.utf8.first == UInt8(ascii: "/") }.map { "\($0)/\(name)" }
        for candidate in candidates where access(candidate, X_OK) == 0 {
            guard candidate.utf8.first != UInt8(ascii: "/") else { return candidate }
            return try RootDirectory("/").resolved("/proc/self/cwd") + "/" + candidate
        }
        throw BuildError.runtimeMissing(name)
    }

    /// What `--version` prints.
    struct Version {
        let kind: Kind
        let number: (major: Int, minor: Int)
        let hasSeccomp: Bool

        /// The first line begins with the name, the word `version`, and the number. crun lists `+SECCOMP` among its
        /// features, runc has a line `libseccomp: VERSION`.
        init(parsing text: String) {
            let lines = text.split(separator: "\n")
            let words = lines.first?.split(separator: " ") ?? []
            switch words.first {
            case "crun": kind = .crun
            case "runc": kind = .runc
            default: kind = .other
            }
            let parts = words.count > 2 ? words[2].split(whereSeparator: { $0 == "." || $0 == "-" }) : []
            number = (parts.first.flatMap { Int($0) } ?? 0, parts.dropFirst().first.flatMap { Int($0) } ?? 0)
            hasSeccomp =
                kind == .crun
                ? text.split(whereSeparator: { $0.isWhitespace }).contains("+SECCOMP")
                : lines.contains { $0.hasPrefix("libseccomp:") }
        }
    }
}
