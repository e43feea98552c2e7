internal import ArgumentParser
internal import Glibc
internal import WhittleCore

/// How errors are shown to a person.
enum ErrorText {
    /// A ``WhittleCore/BuildError`` in full; anything else by its own description, marked as an error.
    static func of(_ error: any Error) -> String {
        if let error = error as? BuildError { error.description } else { "error: \(error)" }
    }

    /// Runs `body`; what it throws is printed on standard error, and the command fails.
    static func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let code as ExitCode {
            throw code
        } catch {
            ProgressPrinter.writeToStandardError(of(error) + "\n")
            throw ExitCode.failure
        }
    }

    /// Runs `body` in a task that Ctrl-C and SIGTERM cancel; what it throws is printed on standard error, and the command
    /// fails.
    ///
    /// - Parameter status: what the command fails with.
    static func reportingInterruptibly(
        failingWith failure: CInt = EXIT_FAILURE, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let status = await Interruption.cancelling {
            do {
                try await body()
                return EXIT_SUCCESS
            } catch let code as ExitCode {
                return code.rawValue
            } catch {
                ProgressPrinter.writeToStandardError(
                    error is CancellationError ? "cancelled\n" : of(error) + "\n")
                return failure
            }
        }
        guard status == EXIT_SUCCESS else { throw ExitCode(status) }
    }

    /// Prints what went wrong with some of several arguments, and fails where there is any.
    static func throwAll(_ failures: [any Error]) throws {
        for failure in failures { ProgressPrinter.writeToStandardError(of(failure) + "\n") }
        if !failures.isEmpty { throw ExitCode.failure }
    }

    /// Prints a problem that does not end the command.
    static func warn(_ problem: BuildError) {
        ProgressPrinter.writeToStandardError("warning: \(problem.message)\n")
    }
}
