internal import WhittleCore

/// How errors are shown to a person.
enum ErrorText {
    /// A ``WhittleCore/BuildError`` in full; anything else by its own description, marked as an error.
    static func of(_ error: any Error) -> String {
        if let error = error as? BuildError { error.description } else { "error: \(error)" }
    }
}
