internal import WhittleCore
internal import WhittleGraph

/// Turns step events into the live view of `--progress=tty`: the steps that run side by side with their times, transfers
/// and last lines, below the ones that ended last; and the summary that it collapses to. Pure: the clock and the size
/// of the window are parameters.
struct TerminalProgress {
    /// A moment, as the duration since the build began.
    typealias Moment = Duration

    struct Settings {
        var colors = ProgressColors()
        /// Lines of output that are shown of a running step, where there is room (`BUILDKIT_TTY_LOG_LINES`).
        var outputLines = 6
    }

    /// An output that was written.
    struct Output {
        let name: String
        let size: ByteCount?
    }

    let settings: Settings
    private(set) var steps: [Digest: LiveStep] = [:]
    /// In the order in which they began.
    private(set) var order: [Digest] = []
    private(set) var outputs: [Output] = []
    private(set) var warnings: [BuildWarning] = []
    private var region = LiveRegion()

    init(_ settings: Settings = Settings()) { self.settings = settings }

    mutating func handle(_ event: StepEvent, at now: Moment) {
        switch event {
        case .started(let step): change(step, at: now) { _ in }
        case .cached(let step): change(step, at: now) { $0.end(.cached, at: now) }
        case .output(let step, _, let bytes): change(step, at: now) { $0.tail.add(bytes) }
        case .progress(let step, let progress): change(step, at: now) { $0.note(progress, at: now) }
        case .finished(let step): change(step, at: now) { $0.end(.done, at: now) }
        case .failed(let step, _): change(step, at: now) { $0.end(.failed, at: now) }
        case .cancelled(let step): change(step, at: now) { $0.end(.cancelled, at: now) }
        case .explained(let step, let explanation): change(step, at: now) { $0.explanation = explanation }
        case .exported(let name, let size): outputs.append(Output(name: name, size: size))
        case .warning(let warning): warnings.append(warning)
        case .measured: break
        }
    }

    private mutating func change(_ step: Step, at now: Moment, _ body: (inout LiveStep) -> Void) {
        if steps[step.id] == nil {
            steps[step.id] = LiveStep(step, at: now)
            order.append(step.id)
        }
        if var entry = steps[step.id] {
            body(&entry)
            steps[step.id] = entry
        }
    }

    // MARK: Drawing

    /// What to write so that the view shows the present state.
    mutating func frame(columns: Int, rows: Int, at now: Moment) -> String {
        region.draw(lines(columns: columns, rows: rows, at: now), columns: columns, rows: rows)
    }

    /// What to write so that the view is gone, and other text can follow.
    mutating func clear(columns: Int, rows: Int) -> String { region.clear(columns: columns, rows: rows) }
}

// MARK: - Summary

extension TerminalProgress {
    /// What stays on the screen: steps, how many were cached, the time, each output with its size; warnings and, where
    /// they were asked for, explanations.
    func summary(_ ending: Ending, columns: Int, at now: Moment) -> String {
        let counted = order.compactMap { steps[$0] }.filter { !$0.isInternal }
        let cached = counted.count { $0.state == .cached }
        var lines = explanations(columns)
        lines.append(
            LiveRegion.Line(
                "[+] \(ending.rawValue) \(Self.seconds(now))s: \(counted.count) \(counted.count == 1 ? "step" : "steps"), "
                    + "\(cached) cached", color: color(of: ending)))
        for output in outputs {
            let size = output.size.map { "  \($0)" } ?? ""
            let name = DisplayText.fitted(DisplayText.plain(output.name.utf8), to: max(8, columns - size.count - 4))
            lines.append(LiveRegion.Line(" => \(name)\(size)"))
        }
        for warning in warnings {
            let place = warning.location.map { " (\($0.file):\($0.range.start.line))" } ?? ""
            lines.append(LiveRegion.Line("warning: \(warning.message)\(place)", color: settings.colors.warning))
        }
        return lines.map { $0.text + "\n" }.joined()
    }

    /// How a build ended, as the summary begins.
    enum Ending: String {
        case built = "Built in"
        case failed = "Failed after"
        case cancelled = "Cancelled after"
    }

    private func color(of ending: Ending) -> String {
        switch ending {
        case .built: settings.colors.run
        case .failed: settings.colors.error
        case .cancelled: settings.colors.cancel
        }
    }

    private func explanations(_ columns: Int) -> [LiveRegion.Line] {
        order.compactMap { steps[$0] }.flatMap { step -> [LiveRegion.Line] in
            guard let explanation = step.explanation else { return [] }
            let mark = step.state == .cached ? "CACHED " : ""
            return [LiveRegion.Line(DisplayText.fitted("\(mark)\(step.name)", to: columns), color: settings.colors.run)]
                + ExplanationText.lines(of: explanation).map { LiveRegion.Line("    \(DisplayText.plain($0.utf8))") }
        }
    }

    /// `12.3`.
    static func seconds(_ duration: Duration) -> String {
        let tenths = max(0, (duration + .milliseconds(50)) / .milliseconds(100))
        return "\(Int(tenths) / 10).\(Int(tenths) % 10)"
    }
}
