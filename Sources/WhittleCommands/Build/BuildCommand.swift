internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleEngine

/// `whittle build`.
struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build an image from a Dockerfile.",
        discussion: """
            Builds the last stage, or the one named with --target, and whatever it needs; other stages are left out. \
            Independent stages run side by side, and a step whose instruction and files have not changed is taken from \
            the cache.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var input: BuildInputOptions
    @OptionGroup var cache: BuildCacheOptions
    @OptionGroup var output: BuildOutputOptions
    @OptionGroup var execution: BuildExecutionOptions
    @OptionGroup var steps: BuildStepOptions

    @Argument(
        help: ArgumentHelp(
            "The directory that COPY and ADD read from; '-' for a tar archive or a Dockerfile on standard input; or the "
                + "URL of one.", valueName: "context"),
        completion: .directory)
    var context: String?

    func validate() throws {
        guard execution.jobs.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--jobs takes a number of at least 1")
        }
    }

    func run() async throws {
        let call: CallRequest
        do {
            call = try callRequest()
        } catch {
            ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
            throw ExitCode.failure
        }
        guard call.method == .build else {
            return try await ErrorText.reportingInterruptibly {
                let status = try await answer(call)
                guard status == EXIT_SUCCESS else { throw ExitCode(status) }
            }
        }
        let mode: ProgressMode
        do {
            mode = try output.mode.resolved(
                isTerminal: isatty(2) == 1, term: StoreOptions.variable("TERM"))
        } catch {
            ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
            throw ExitCode.failure
        }
        let printer = ProgressPrinter(
            mode: mode, settings: TerminalProgress.Settings(noColor: output.noColor, variable: StoreOptions.variable),
            listener: WorkflowReport(variable: StoreOptions.variable))
        let status = await Interruption.cancelling {
            do {
                try await printer.whileShowing { try await build(printer) }
                printer.conclude(nil)
                return EXIT_SUCCESS
            } catch {
                printer.conclude(error)
                return EXIT_FAILURE
            }
        }
        guard status == EXIT_SUCCESS else { throw ExitCode(status) }
    }
}
