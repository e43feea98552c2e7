internal import ArgumentParser
internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleEngine
internal import WhittleRuntime

/// `whittle run`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run an image of the store, or of a registry.",
        discussion: """
            Starts the image's command, or COMMAND, in a container, and ends as it ends: with its exit code, with 127 \
            where there is no such program, 126 where it cannot be executed, 125 where the container did not come about. \
            Options stand before IMAGE; what follows it belongs to the container.

            The container has the network of this machine, so its ports need no publishing. It is removed when it ends, \
            and what it wrote outside of its volumes with it.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var process: RunProcessOptions
    @OptionGroup var files: RunFileOptions
    @OptionGroup var isolation: RunIsolationOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp(
            "The image, by name or ID, and what to run in it instead of its own command.",
            valueName: "image [command"))
    var words: [String] = []

    func validate() throws {
        guard !words.isEmpty else { throw ValidationError("no image is named") }
    }

    func run() async throws {
        let session: ContainerSession
        let request: ContainerRequest
        do {
            session = try ContainerSession(
                isInteractive: process.interactive, hasTerminal: process.tty, isTerminal: { isatty($0) == 1 })
            request = try self.request()
            try ProcessNamespaces.require()
        } catch {
            throw Self.exit(reporting: error)
        }
        let status = await session.relayingSignals { attachment in
            do {
                let store = try BuildStore(openingAt: store.directory)
                try await RunImage(name: request.image, platform: request.platform, policy: process.pull)
                    .prepare(in: store)
                let code = try await Self.run(request, in: store, attachment, session)
                try store.close()
                try BuildStore.sweep(store)
                return code
            } catch {
                return error is CancellationError ? 125 : Self.exit(reporting: error).rawValue
            }
        }
        guard status == EXIT_SUCCESS else { throw ExitCode(status) }
    }

    private static func run(
        _ request: ContainerRequest, in store: BuildStore, _ attachment: ProcessAttachment, _ session: ContainerSession
    ) async throws -> CInt {
        do {
            return try await ContainerRunner(store: store).run(request, attachment: attachment) { output in
                session.write(output)
            }
        } catch {
            // The error of the container is the one to show; what stays is swept by the next command.
            try? store.close()
            throw error
        }
    }

    /// Prints an error, and gives the exit code that Docker has for its kind.
    private static func exit(reporting error: any Error) -> ExitCode {
        ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
        switch (error as? BuildError)?.code {
        case BuildError.Code.executableNotFound: return ExitCode(127)
        case BuildError.Code.executableRefused: return ExitCode(126)
        default: return ExitCode(125)
        }
    }
}
