internal import ArgumentParser
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
        } catch {
            ProgressPrinter.writeToStandardError(of(error) + "\n")
            throw ExitCode.failure
        }
    }

    /// Prints a problem that does not end the command.
    static func warn(_ problem: BuildError) {
        ProgressPrinter.writeToStandardError("warning: \(problem.message)\n")
    }
}
