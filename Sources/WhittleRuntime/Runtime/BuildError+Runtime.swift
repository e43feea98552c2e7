internal import SystemPackage
public import WhittleCore
internal import WhittleFileSystem

extension BuildError.Code {
    /// The OCI runtime that runs steps is not installed.
    public static let runtimeMissing = BuildError.Code(rawValue: "runtime-missing")
    /// The OCI runtime could not do its work.
    public static let runtimeFailed = BuildError.Code(rawValue: "runtime-failed")
    /// A step's program does not exist in its root file system.
    public static let executableNotFound = BuildError.Code(rawValue: "executable-not-found")
    /// The kernel does not run a step's program.
    public static let executableRefused = BuildError.Code(rawValue: "executable-refused")
    /// A step asks for something that no process can have.
    public static let invalidStep = BuildError.Code(rawValue: "invalid-step")
}

extension BuildError {
    static func runtimeMissing(_ name: String) -> BuildError {
        if name.utf8.contains(UInt8(ascii: "/")) {
            return BuildError(
                .runtimeMissing, "no OCI runtime at '\(printable(name))': not an executable file",
                hint: "give --runtime the name or the path of an installed runtime, such as crun")
        }
        return BuildError(
            .runtimeMissing, "no OCI runtime '\(printable(name))' in $PATH",
            hint: ["crun", "runc"].contains(name)
                ? "install it (apt install \(name)), or choose another with --runtime"
                : "install it, or choose another with --runtime: crun, runc")
    }

    static func runtimeNotStarted(_ path: String, _ error: Errno) -> BuildError {
        BuildError(
            .runtimeFailed, "cannot start the OCI runtime '\(printable(path))': \(sentence(error))",
            hint: "choose another with --runtime")
    }

    static func runtimeUnusable(_ path: String, exitCode: Int32, output: [UInt8]) -> BuildError {
        let line = output.split(separator: 0x0a).last.map {
            ": " + printable(String(decoding: $0.prefix(200), as: UTF8.self))
        }
        return BuildError(
            .runtimeFailed,
            "'\(printable(path)) --version' ended with exit code \(exitCode)\(line ?? "")",
            hint: "choose an OCI runtime with --runtime: crun, runc")
    }

    static func invalidStep(_ what: String) -> BuildError {
        BuildError(.invalidStep, "cannot run the step: \(what)")
    }

    /// The container's process did not begin to run; `message` is the runtime's.
    static func stepNotStarted(_ message: String, runtime: String, arguments: [String]) -> BuildError {
        switch ExecFailure(message) {
        case .notFound(let name):
            let name = printable(name ?? arguments.first ?? "")
            let place = name.utf8.contains(UInt8(ascii: "/")) ? "in the image" : "in $PATH"
            return BuildError(
                .executableNotFound, "executable '\(name)' not found \(place)", hint: hint(forMissing: name))
        case .interpreterMissing(let name):
            return BuildError(
                .executableNotFound,
                "cannot run '\(printable(name ?? arguments.first ?? ""))': its interpreter or dynamic loader is not in the image",
                hint:
                    "see its first line (#!), or `file` and `ldd` on it; a program built for glibc does not run on musl"
            )
        case .wrongFormat(let name):
            return BuildError(
                .executableRefused,
                "cannot run '\(printable(name ?? arguments.first ?? ""))': exec format error",
                hint: "it is built for another platform, or is a script without a first line (#!/bin/sh)")
        case .notPermitted(let name):
            return BuildError(
                .executableRefused, "cannot run '\(printable(name ?? arguments.first ?? ""))': permission denied",
                hint: "make it executable for the step's user: COPY --chmod=755, or chmod +x")
        case nil:
            return BuildError(.runtimeFailed, "\(runtime) could not start the step: \(printable(message))")
        }
    }

    private static func hint(forMissing name: String) -> String {
        switch name {
        case "/bin/sh", "sh", "/bin/bash", "bash":
            "this stage has no shell; use the JSON form, RUN [\"PROGRAM\", \"ARGUMENT\"], or a base image that has one"
        case _ where name.utf8.contains(UInt8(ascii: " ")):
            "the JSON form takes each argument as a string of its own: RUN [\"PROGRAM\", \"ARGUMENT\"]"
        default:
            "install it in an earlier step of this stage, or add its directory to PATH with ENV"
        }
    }
}

/// Why a program was not executed, as crun and runc put it.
enum ExecFailure: Hashable {
    // The name where the message has it.
    case notFound(String?)
    case interpreterMissing(String?)
    case wrongFormat(String?)
    case notPermitted(String?)

    /// `nil` where the message is about something else.
    init?(_ message: String) {
        let text = message.lowercased()
        let name = Self.quoted(in: message)
        let isCrunExec = text.contains("exec container process")
        let isExec =
            isCrunExec || text.contains("exec: \"") || text.hasPrefix("exec /") || text.hasPrefix("open executable")
        if text.contains("executable file") && text.contains("not found") {
            self = .notFound(name)
        } else if isExec, text.contains("exec format error") {
            self = .wrongFormat(name)
        } else if isExec, text.hasSuffix("permission denied") || text.hasSuffix("operation not permitted") {
            self = .notPermitted(name)
        } else if isCrunExec || text.hasPrefix("exec /"), text.hasSuffix("no such file or directory") {
            // It was found before, so what is missing is what it needs.
            self = .interpreterMissing(name)
        } else if isExec, text.hasSuffix("no such file or directory") {
            self = .notFound(name)
        } else {
            return nil
        }
    }

    /// What is between backquotes (crun), after `exec: ` in quotes or before the last colon (runc).
    private static func quoted(in message: String) -> String? {
        if let start = message.firstIndex(of: "`"), let end = message.lastIndex(of: "`"), start < end {
            return String(message[message.index(after: start)..<end])
        }
        if message.hasPrefix("exec /"), let end = message.lastIndex(of: ":") {
            return String(message[message.index(message.startIndex, offsetBy: 5)..<end])
        }
        let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
        guard let index = parts.firstIndex(where: { $0.hasSuffix("exec: ") }), index + 1 < parts.count else {
            return nil
        }
        return String(parts[index + 1])
    }
}
