internal import WhittleAnalysis
internal import WhittleCore
internal import WhittleGraph

/// A build as a page of Markdown: what came out, what each stage cost, where the time went.
struct SummaryMarkdown {
    let timeline: BuildTimeline
    /// What ended the build, as a terminal shows it; `nil` where it succeeded.
    let failure: String?

    /// Rows of a table beyond this are left out and counted, so that the page stays below GitHub's limit of 1 MiB.
    private static let rowLimit = 50
    private static let slowestLimit = 10
    /// A step that took less is not among those that took time.
    private static let shortest = Duration.milliseconds(50)
    /// Bytes of an error.
    private static let failureLimit = 16_384

    var text: String {
        var sections = [heading]
        if let failure { sections.append(block(failure)) }
        if !timeline.outputs.isEmpty { sections.append(outputs) }
        if !timeline.stages.isEmpty { sections.append(stages) }
        if !slowest.isEmpty { sections.append(slowestSteps) }
        let path = timeline.criticalPath.filter { $0.duration >= Self.shortest }
        if !path.isEmpty { sections.append(critical(path)) }
        if !timeline.warnings.isEmpty { sections.append(warnings) }
        return sections.joined(separator: "\n\n") + "\n\n"
    }

    private var heading: String {
        let steps = timeline.steps.filter { $0.label.stage != nil }
        let cached = steps.filter { $0.outcome == .cached }.count
        let title = "### whittle: build \(failure == nil ? "finished" : "failed") in \(Self.time(timeline.end))"
        guard !steps.isEmpty else { return title }
        return "\(title)\n\n\(steps.count) steps, \(cached) of them from the cache (\(cached * 100 / steps.count) %)."
    }

    private var outputs: String {
        table(
            ["output", "size"],
            timeline.outputs.map { [Self.code($0.name), $0.size.map { "\($0)" } ?? ""] })
    }

    private var stages: String {
        "#### Stages\n\n"
            + table(
                ["stage", "steps", "from cache", "time", "size", "of it base image"],
                timeline.stages.map { stage in
                    [
                        Self.code(stage.name), "\(stage.count)", "\(stage.cached)", Self.time(stage.time),
                        stage.size.map { "\($0.added + $0.base)" } ?? "", stage.size.map { "\($0.base)" } ?? "",
                    ]
                })
    }

    private var slowest: [BuildTimeline.TimedStep] {
        let steps = timeline.steps.filter { $0.duration >= Self.shortest }
        return Array(steps.sorted { $0.duration > $1.duration }.prefix(Self.slowestLimit))
    }

    private var slowestSteps: String {
        "#### Slowest steps\n\n"
            + table(["time", "step"], slowest.map { [Self.time($0.duration), Self.code($0.step.name)] })
    }

    private func critical(_ path: [BuildTimeline.TimedStep]) -> String {
        let sum = path.reduce(Duration.zero) { $0 + $1.duration }
        return """
            #### Critical path

            The build waited \(Self.time(sum)) for these, one after the other; what is beside them costs no time.

            \(table(["from", "time", "step"], path.map { [Self.time($0.start), Self.time($0.duration), Self.code($0.step.name)] }))
            """
    }

    private var warnings: String {
        "#### Warnings\n\n"
            + table(
                ["where", "what"],
                timeline.warnings.map { warning in
                    let place = warning.location.map { "\($0.file):\($0.range.start.line)" } ?? ""
                    let rule = warning.rule.map { rule in
                        rule.url.map { "[\(rule.name)](\($0)): " } ?? "\(rule.name): "
                    }
                    // The message of a check begins with its name, which is the text of the link.
                    let name = warning.rule.map { "\($0.name): " } ?? ""
                    let message =
                        warning.message.hasPrefix(name) ? warning.message.dropFirst(name.count) : warning.message[...]
                    return [Self.code(place), (rule ?? "") + Self.plain(String(message))]
                })
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        var lines = [head, head.map { _ in "---" }] + rows.prefix(Self.rowLimit)
        if rows.count > Self.rowLimit {
            lines.append(["… \(rows.count - Self.rowLimit) more"] + head.dropFirst().map { _ in "" })
        }
        return lines.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }

    private func block(_ text: String) -> String {
        // A fence that is longer than any run of backticks in the text.
        var longest = 2
        var run = 0
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: longest + 1)
        return "\(fence)text\n\(Self.start(of: text, limit: Self.failureLimit))\n\(fence)"
    }

    /// Text of one line in a cell, with what Markdown would read as its own made harmless.
    private static func plain(_ text: String) -> String {
        var result = ""
        for character in start(of: text, limit: 500) {
            switch character {
            case "\n", "\r", "\r\n", "\t": result += " "
            case "<": result += "&lt;"
            case "|", "\\", "`", "*", "_", "[", "]": result += "\\\(character)"
            default: result.append(character)
            }
        }
        return result
    }

    /// HTML's element, in which only three characters mean something, and a bar as an entity because tables go first.
    private static func code(_ text: String) -> String {
        guard !text.isEmpty else { return "" }
        var result = ""
        for character in start(of: text, limit: 200) {
            switch character {
            case "\n", "\r", "\r\n", "\t": result += " "
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "|": result += "&#124;"
            case "`": result += "&#96;"
            case "*": result += "&#42;"
            case "_": result += "&#95;"
            case "\\": result += "&#92;"
            case "[": result += "&#91;"
            default: result.append(character)
            }
        }
        return "<code>\(result)</code>"
    }

    private static func start(of text: String, limit: Int) -> String {
        text.count > limit ? "\(text.prefix(limit))…" : text
    }

    /// `0.4 s`, `12.3 s`, `2 min 05 s`.
    static func time(_ duration: Duration) -> String {
        guard duration + .milliseconds(50) >= .seconds(120) else { return TerminalProgress.seconds(duration) + " s" }
        let seconds = Int((duration + .milliseconds(50)) / .seconds(1))
        return "\(seconds / 60) min \(seconds % 60 < 10 ? "0" : "")\(seconds % 60) s"
    }
}
