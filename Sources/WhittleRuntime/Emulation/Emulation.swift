public import WhittleCore
internal import WhittleFileSystem

/// Whether this machine runs the program that a step begins with, and what the container needs for that.
struct Emulation {
    /// What becomes of a program.
    enum Verdict: Hashable {
        /// The processor or the kernel takes it, as far as can be told.
        case runs
        /// An emulator of this machine does, once the container can see it.
        case needsInterpreter(BinaryHandler)
        /// Nobody does.
        case isForeign(Platform)
    }

    /// - Parameter handlers: those of the kernel; `nil` where they are not known.
    static func verdict(
        on header: ProgramHeader, host: Platform = .host, handlers: () -> [BinaryHandler]?
    ) -> Verdict {
        guard let platform = header.platform, !host.runs(platform), let handlers = handlers() else { return .runs }
        let taking = handlers.filter { $0.takes(header) }
        guard !taking.isEmpty else { return .isForeign(platform) }
        return taking.first { !$0.isFixed }.map { .needsInterpreter($0) } ?? .runs
    }

    /// What a step needs to find besides its own mounts.
    ///
    /// - Parameter scratch: see ``BinaryHandlers/ofMachine(_:)``.
    /// - Throws: `emulator-missing`; `file-system` where the program cannot be read.
    static func mount(for process: StepProcess, in root: RootDirectory, scratch: String) throws(BuildError)
        -> StepMount?
    {
        guard let program = process.arguments.first,
            let found = try ProgramSearch(
                program: program, environment: process.environment, workingDirectory: process.workingDirectory
            ).found(in: root)
        else { return nil }
        switch verdict(on: found.header, handlers: { BinaryHandlers.ofMachine(scratch) }) {
        case .runs: return nil
        case .isForeign(let platform): throw .emulatorMissing(found.path, platform)
        case .needsInterpreter(let handler):
            let machine = try RootDirectory("/")
            guard let status = try machine.status(of: handler.interpreter), status.isRegular else {
                throw .emulatorUnusable(found.path, handler, "does not exist on this machine")
            }
            guard !(try machine.header(ofFileAt: handler.interpreter).needsLoader) else {
                throw .emulatorUnusable(found.path, handler, "needs libraries that the step does not have")
            }
            return .bind(
                source: try machine.resolved(handler.interpreter), target: handler.interpreter, isReadOnly: true)
        }
    }
}

extension Platform {
    /// Whether the processor itself runs programs for `other`; some of the older ones it does not, which only shows then.
    fileprivate func runs(_ other: Platform) -> Bool {
        if architecture == other.architecture { return true }
        return [["amd64", "386"], ["arm64", "arm"]].contains([architecture, other.architecture])
    }
}

extension BuildError.Code {
    /// A step's program is for another processor, and no emulator for it is registered.
    public static let emulatorMissing = BuildError.Code(rawValue: "emulator-missing")
}

extension BuildError {
    static func emulatorMissing(_ program: String, _ platform: Platform) -> BuildError {
        BuildError(
            .emulatorMissing,
            "cannot run '\(printable(program))': it is built for \(platform), this machine runs \(Platform.host), and no "
                + "emulator for \(platform) is registered with its kernel",
            hint: EmulatorAdvice(for: platform).text)
    }

    static func emulatorUnusable(_ program: String, _ handler: BinaryHandler, _ problem: String) -> BuildError {
        BuildError(
            .emulatorMissing,
            "cannot run '\(printable(program))': its emulator '\(printable(handler.interpreter))', which binfmt_misc has as "
                + "'\(printable(handler.name))', \(problem)",
            hint: "install static ones, which the kernel keeps open: apt install qemu-user-static")
    }
}
