package import WhittleGraph
package import WhittleRuntime

/// Lets a person into the file system of the step that fails first, before the build goes on to fail.
package struct FailureShell: Sendable {
    /// A command that failed, and what its file system has to look around with.
    package struct Failure: Sendable {
        package let step: Step
        /// What happened, in one sentence.
        package let message: String
        /// The shell that would run; `nil` where the file system has none.
        package let shell: String?
    }

    /// Runs the shell as the step ran: the same files, mounts, environment, user and working directory.
    ///
    /// - Parameters:
    ///   - environment: further variables, `NAME=value`.
    ///   - receive: gets what the shell writes, on a thread of its own.
    package typealias Enter =
        @Sendable (
            _ attachment: ProcessAttachment, _ environment: [String], _ receive: @escaping @Sendable ([UInt8]) -> Void
        ) async throws -> Void

    private let offer: @Sendable (Failure, Enter) async throws -> Void

    /// - Parameter offer: shows the failure, and calls what it is given once the terminal is the person's. Other steps go
    ///   on meanwhile; nothing that fails ends the build before this has returned.
    package init(offer: @escaping @Sendable (Failure, Enter) async throws -> Void) { self.offer = offer }

    func callAsFunction(_ failure: Failure, _ enter: Enter) async throws { try await offer(failure, enter) }
}
