internal import WhittleCore

/// Which lines the live view has. They always fit the window: what is running comes first, then transfers and output, then
/// what has ended.
extension TerminalProgress {
    /// The lines for a window of this size, at most `rows - 1`.
    func lines(columns: Int, rows: Int, at now: Moment) -> [LiveRegion.Line] {
        let entries = order.compactMap { steps[$0] }
        let running = entries.filter { $0.ended == nil }
        let ended = entries.filter { $0.ended != nil }
        var left = max(1, rows - 2)
        let isCrowded = running.count > left
        let shown = isCrowded ? running.prefix(left - 1) : running[...]
        left -= shown.count + (isCrowded ? 1 : 0)
        let details = self.details(of: shown, room: left - min(ended.count, left / 3))
        left -= details.reduce(0) { $0 + $1.transfers + $1.output }

        let total = entries.count
        let header = "[+] Building \(Self.seconds(now))s (\(ended.count)/\(total))"
        var lines = [LiveRegion.Line(DisplayText.fitted(header, to: columns))]
        for step in ended.suffix(max(0, left)) { lines.append(line(for: step, columns, now)) }
        for (step, detail) in zip(shown, details) {
            lines.append(line(for: step, columns, now))
            for transfer in Self.active(step).prefix(detail.transfers) {
                lines.append(line(for: transfer, columns, now))
            }
            for text in step.tail.last(detail.output) {
                lines.append(LiveRegion.Line(DisplayText.fitted(" => => # \(text)", to: columns)))
            }
        }
        if isCrowded {
            let text = " => and \(running.count - shown.count) more running"
            lines.append(LiveRegion.Line(DisplayText.fitted(text, to: columns)))
        }
        return Array(lines.prefix(max(1, rows - 1)))
    }

    /// How many lines each running step gets below its own: one after the other, so that none takes all.
    private func details(of steps: ArraySlice<LiveStep>, room: Int) -> [(transfers: Int, output: Int)] {
        var result = steps.map { _ in (transfers: 0, output: 0) }
        let wanted = steps.map { (Self.active($0).count, $0.tail.last(settings.outputLines).count) }
        var left = max(0, room)
        for round in 0..<max(8, settings.outputLines) {
            for (index, (transfers, _)) in wanted.enumerated() where left > 0 && round < min(transfers, 8) {
                result[index].transfers += 1
                left -= 1
            }
            for (index, (_, output)) in wanted.enumerated() where left > 0 && round < output {
                result[index].output += 1
                left -= 1
            }
        }
        return result
    }

    private static func active(_ step: LiveStep) -> [LiveStep.Transfer] { step.transfers.filter { !$0.isDone } }

    private func line(for step: LiveStep, _ columns: Int, _ now: Moment) -> LiveRegion.Line {
        let (mark, color) =
            switch step.state {
            case .running: ("", "")
            case .cached: ("CACHED ", settings.colors.run)
            case .done: ("", settings.colors.run)
            case .failed: ("ERROR ", settings.colors.error)
            case .cancelled: ("CANCELED ", settings.colors.cancel)
            }
        return aligned(" => \(mark)\(step.name)", (step.ended ?? now) - step.started, columns, color: color)
    }

    private func line(for transfer: LiveStep.Transfer, _ columns: Int, _ now: Moment) -> LiveRegion.Line {
        var text = " => => \(transfer.name)"
        if let total = transfer.total, total > .zero {
            if columns >= 70 { text += " \(Self.bar(transfer.current, of: total))" }
            text += " \(transfer.current) / \(total)"
        } else if transfer.current > .zero {
            text += " \(transfer.current)"
        }
        return aligned(text, now - transfer.started, columns)
    }

    private static let barWidth = 20

    /// `[=======>            ]`.
    private static func bar(_ current: ByteCount, of total: ByteCount) -> String {
        let fraction = min(1, max(0, Double(current.bytes) / Double(total.bytes)))
        let filled = Int(fraction * Double(barWidth))
        let head = filled < barWidth ? ">" : ""
        let body = String(repeating: "=", count: filled) + head
        return "[" + body + String(repeating: " ", count: barWidth - body.count) + "]"
    }

    /// `text` with a time at the right edge.
    private func aligned(_ text: String, _ time: Duration, _ columns: Int, color: String = "") -> LiveRegion.Line {
        let time = "\(Self.seconds(time))s"
        guard columns > time.count + 12 else {
            return LiveRegion.Line(DisplayText.fitted(text, to: columns), color: color)
        }
        let fitted = DisplayText.fitted(text, to: columns - time.count - 1)
        let gap = max(1, columns - time.count - DisplayText.width(of: fitted))
        return LiveRegion.Line(fitted + String(repeating: " ", count: gap) + time, color: color)
    }
}
