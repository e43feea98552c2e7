internal import Synchronization
internal import SystemPackage
internal import WhittleAnalysis
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph

/// What a build in a GitHub workflow leaves for those who look at the workflow: notes at the lines of files, and a summary.
///
/// Made where GitHub's runner set `GITHUB_ACTIONS`. The variables that turn docker's build action's reports off count here too:
/// `DOCKER_BUILD_CHECKS_ANNOTATIONS=false`, `DOCKER_BUILD_SUMMARY=false`.
final class WorkflowReport: Sendable {
    private let timeline = Mutex(BuildTimeline())
    private let start = ContinuousClock.now
    private let annotates: Bool
    private let commands: WorkflowCommand
    /// The file that GitHub shows; `nil` where no summary is wanted.
    private let summary: String?

    /// `nil` outside of a workflow, and where it wants no report.
    ///
    /// - Parameter variable: the value of an environment variable.
    init?(variable: (String) -> String?) {
        guard variable("GITHUB_ACTIONS") == "true" else { return nil }
        func isOff(_ name: String) -> Bool { ["false", "0"].contains(variable(name)?.lowercased()) }
        annotates = !isOff("DOCKER_BUILD_CHECKS_ANNOTATIONS")
        let path = variable("GITHUB_STEP_SUMMARY") ?? ""
        summary = isOff("DOCKER_BUILD_SUMMARY") || path.isEmpty ? nil : path
        commands = WorkflowCommand(workspace: variable("GITHUB_WORKSPACE"))
        guard annotates || summary != nil else { return nil }
    }

    /// Whether sizes are worth measuring.
    var wantsSizes: Bool { summary != nil }

    func handle(_ event: StepEvent) {
        let now = ContinuousClock.now - start
        timeline.withLock { $0.handle(event, at: now) }
    }

    /// Writes the notes with `print`, and adds the summary to its file.
    ///
    /// - Parameter error: what ended the build; `nil` where it succeeded.
    func finish(_ error: (any Error)?, print: (String) -> Void) {
        guard !(error is CancellationError) else { return }
        let timeline = timeline.withLock { $0 }
        if annotates {
            for warning in timeline.warnings.prefix(WorkflowCommand.limit) {
                print(commands.annotation(warning) + "\n")
            }
            if let error { print(commands.annotation(error) + "\n") }
        }
        guard let summary else { return }
        let page = SummaryMarkdown(timeline: timeline, failure: error.map { ErrorText.of($0) })
        do throws(Errno) {
            try Self.append(page.text, to: summary)
        } catch {
            print("warning: writing the summary of the build to '\(summary)': \(error)\n")
        }
    }

    private static func append(_ text: String, to path: String) throws(Errno) {
        let file = try Syscall.open(path, [.writeOnly, .create, .append], mode: 0o644)
        try file.withDescriptor { (descriptor) throws(Errno) in
            let bytes = Array(text.utf8)
            try bytes.withUnsafeBufferPointer { (buffer) throws(Errno) in
                try Syscall.writeAll(descriptor, UnsafeRawBufferPointer(buffer))
            }
        }
    }
}
