internal import Synchronization
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleRuntime
internal import WhittleSecrets

/// The secrets that one step is given, and the search for them afterwards.
struct StepSecrets: Sendable {
    let given: [NamedSecret]

    init(_ op: ExecOp, _ secrets: [String: Redacted<[UInt8]>]) {
        given = op.secretIDs.compactMap { id in secrets[id].map { NamedSecret(id: id, value: $0) } }
    }

    /// The error about secrets in what the step wrote; `nil` where there are none.
    ///
    /// - Parameter changes: the upper directory of the step, which nobody writes to any more.
    func leak(in changes: String, pool: BlockingPool, _ vertex: Vertex, _ op: ExecOp) async throws -> BuildError? {
        guard !given.isEmpty else { return nil }
        let leaks = try await pool.runCancellable { [given] cancellation in
            try LeakScan(SecretPatterns(given)).leaks(in: changes, cancellation: cancellation)
        }
        return leaks.isEmpty ? nil : .secretLeak(leaks, vertex, op)
    }
}

/// What a step prints, without the secrets that it was given.
final class RedactedOutput: Sendable {
    private let report: @Sendable (StepEvent.OutputStream, [UInt8]) -> Void
    private let redactors: Mutex<[StepEvent.OutputStream: OutputRedactor]>

    /// - Parameter report: gets the bytes of each stream in order.
    init(_ secrets: StepSecrets, report: @escaping @Sendable (StepEvent.OutputStream, [UInt8]) -> Void) {
        self.report = report
        let redactor = secrets.given.isEmpty ? nil : OutputRedactor(secrets.given)
        redactors = Mutex(redactor.map { [.standardOutput: $0, .standardError: $0] } ?? [:])
    }

    /// Takes what the step wrote; one call after the other.
    func take(_ output: StepOutput) {
        let stream: StepEvent.OutputStream = output.stream == .standardOutput ? .standardOutput : .standardError
        let bytes = redactors.withLock { $0[stream]?.redact(output.bytes) } ?? output.bytes
        if !bytes.isEmpty { report(stream, bytes) }
    }

    /// Reports what was held back.
    func finish() {
        for stream in [StepEvent.OutputStream.standardOutput, .standardError] {
            let bytes = redactors.withLock { $0[stream]?.finish() } ?? []
            if !bytes.isEmpty { report(stream, bytes) }
        }
    }
}

extension BuildError {
    /// Places that one message names.
    private static let shownLeaks = 5

    static func secretLeak(_ leaks: [SecretLeak], _ vertex: Vertex, _ op: ExecOp) -> BuildError {
        var places = leaks.prefix(shownLeaks).map { "secret '\($0.secret)' is in \($0.shownPlace)" }
        if leaks.count > shownLeaks {
            let isAll = leaks.count < LeakScan.reportLimit
            places.append("and \(isAll ? "" : "at least ")\(leaks.count - shownLeaks) more")
        }
        let command =
            op.arguments.count == 3 && op.arguments[1] == "-c" ? op.arguments[2] : op.arguments.joined(separator: " ")
        return BuildError(
            .secretLeak, "looking for secrets in what '\(shortened(command))' wrote: \(places.joined(separator: "; "))",
            hint: "do not write it, or remove it in the same RUN; where it is meant to be in the image, "
                + "--allow-secret-leak turns this into a warning",
            at: vertex.metadata.location)
    }
}

extension SecretLeak {
    /// The place in words: `the file '/app/.npmrc' (base64)`.
    var shownPlace: String {
        let place =
            switch self.place {
            case .contents: "the file '\(path)'"
            case .unpackedContents: "the file '\(path)', unpacked"
            case .name: "the name '\(path)'"
            case .linkTarget: "the target of the link '\(path)'"
            case .attribute(let name): "the attribute '\(name)' of '\(path)'"
            }
        return "\(place) (\(form.rawValue))"
    }
}
