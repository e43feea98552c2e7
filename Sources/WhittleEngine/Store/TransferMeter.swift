internal import Synchronization
internal import WhittleCore
internal import WhittleGraph
internal import WhittleOCI

/// Reports how far a layer is while it streams: a hundred times, or each quarter of a mebibyte, whichever is less often.
final class TransferMeter: Sendable {
    private let name: String
    private let total: ByteCount
    private let interval: Int64
    private let report: @Sendable (StepProgress) -> Void
    private let position = Mutex<(current: Int64, reported: Int64)>((0, 0))

    init(_ layer: Descriptor, of step: Step, report: @escaping @Sendable (StepEvent) -> Void) {
        name = "\(layer.digest)"
        total = ByteCount(layer.size)
        interval = max(256 << 10, layer.size / 100)
        self.report = { report(.progress(step, $0)) }
        self.report(StepProgress(name: name, current: .zero, total: total))
    }

    /// Notes that `count` more bytes came.
    func add(_ count: Int) {
        let current: Int64? = position.withLock { position in
            position.current += Int64(count)
            guard position.current - position.reported >= interval else { return nil }
            position.reported = position.current
            return position.current
        }
        if let current { report(StepProgress(name: name, current: ByteCount(current), total: total)) }
    }

    /// Notes that the layer is there, and unpacked.
    func finish() { report(StepProgress(name: name, current: total, total: total, isDone: true)) }
}
