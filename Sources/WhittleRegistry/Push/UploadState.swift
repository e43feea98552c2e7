internal import WhittleHTTP

/// Decides what to ask a registry for next until it has a blob: a pure state machine.
///
/// Protocol: distribution-spec v1.1, "Pushing Blobs". A blob is looked for, mounted where it is known to be elsewhere, else
/// sent in one request. Where the connection was cut, the registry is asked how much it has, and the rest is sent in a
/// `PATCH`; a registry that does not know any more gets the blob anew, in parts where it is large.
struct UploadState: Sendable {
    /// A request to make.
    enum Action: Hashable, Sendable {
        /// `HEAD` of the blob.
        case look
        /// `POST` that opens an upload, or mounts.
        case begin(mountingFrom: String?)
        /// `PUT` of the whole blob.
        case sendAll
        /// `PATCH` of a part.
        case sendPart(Range<Int64>)
        /// `PUT` without a body.
        case close
        /// `GET` of how much has arrived.
        case ask
        case finish(PushOutcome)
        /// The last answer or failure is final.
        case fail
        /// The registry says again and again that the bytes are not those of the digest.
        case failDamaged
    }

    /// What a request came to.
    enum Event: Sendable {
        case answered(Answer)
        case failed(HTTPFailure.Kind)
    }

    /// As much of an answer as decides.
    struct Answer: Sendable {
        var status: Int
        var codes: Set<String> = []
        /// Whether the answer says where the upload goes on.
        var hasLocation = false
        /// Bytes that the registry has, by the header `Range`.
        var received: Int64?
        /// `OCI-Chunk-Min-Length`.
        var leastPart: Int64?
        var retryAfter: Duration?
    }

    /// What to do, after which wait.
    struct Step: Hashable, Sendable {
        var action: Action
        var wait = Duration.zero
    }

    private let size: Int64
    private var retries: RetryState
    private var origins: [String]
    private var last: Action
    /// Bytes that the registry has said it has.
    private(set) var confirmed: Int64 = 0
    /// The most that it ever had. Less than that again is no progress, or a registry that forgets would be fed for ever.
    private var furthest: Int64 = 0
    private let isForced: Bool
    /// The size of parts; `nil` for the whole at once.
    private var part: Int64?
    private var leastPart: Int64 = 1
    private var cuts = 0
    private var isSecondCopy = false

    /// Parts of a blob that cannot be sent at once: large enough that their answers do not count, small enough for the
    /// request limits of common proxies (100 MB), and for what is lost when one is cut.
    static let partSize: Int64 = 32 << 20
    /// A proxy that does not take this much takes no images.
    private static let leastUsefulPart: Int64 = 256 << 10

    /// - Parameters:
    ///   - origins: repositories to mount from, likeliest first.
    ///   - isForced: whether the registry lacks the blob, whatever it says.
    init(size: Int64, origins: [String], policy: RetryPolicy, isForced: Bool = false) {
        self.size = size
        self.isForced = isForced
        self.origins = isForced ? [] : origins
        retries = RetryState(policy)
        last = isForced ? .begin(mountingFrom: nil) : .look
    }

    /// The first request.
    var start: Step { Step(action: last) }

    /// What comes after `event`, which is what the last action came to.
    mutating func handle(_ event: Event, jitter: Double) -> Step {
        let step: Step
        switch event {
        case .failed(let kind): step = again(after: .failed(kind), jitter)
        case .answered(let answer) where RetryState.isPassing(status: answer.status):
            step = again(after: .answered(status: answer.status, retryAfter: answer.retryAfter), jitter)
        case .answered(let answer): step = next(answer, isSuccess: (200..<300).contains(answer.status), jitter)
        }
        last = step.action
        return step
    }

    private mutating func next(_ answer: Answer, isSuccess: Bool, _ jitter: Double) -> Step {
        switch last {
        // What else HEAD is answered with (a redirect to a store that takes no HEAD, a repository that may only be
        // written to) says nothing about the upload.
        case .look: return Step(action: isSuccess ? .finish(.existing) : begin())
        case .begin(let origin): return begun(answer, isSuccess, mountingFrom: origin)
        case .sendAll, .close:
            return isSuccess ? Step(action: .finish(.uploaded)) : refused(answer, jitter)
        case .sendPart(let range):
            guard isSuccess else { return refused(answer, jitter) }
            return advance(to: answer.received ?? range.upperBound, jitter)
        case .ask:
            guard isSuccess, let received = answer.received, received > 0 else { return Step(action: anew()) }
            return advance(to: received, jitter)
        case .finish, .fail, .failDamaged: preconditionFailure("an event after the end")
        }
    }

    private mutating func begin() -> Action { .begin(mountingFrom: origins.isEmpty ? nil : origins.removeFirst()) }

    private mutating func begun(_ answer: Answer, _ isSuccess: Bool, mountingFrom origin: String?) -> Step {
        if let origin {
            if answer.status == 201 { return Step(action: .finish(.mounted(from: origin))) }
            // Not there, or not allowed to read there.
            if !isSuccess { return Step(action: begin()) }
        }
        guard isSuccess, answer.hasLocation else { return Step(action: .fail) }
        leastPart = max(1, answer.leastPart ?? 1)
        return Step(action: firstPart())
    }

    private func firstPart() -> Action {
        guard let part, size > part else { return .sendAll }
        return .sendPart(0..<min(size, max(part, leastPart)))
    }

    /// Goes on where the registry has so many bytes.
    private mutating func advance(to received: Int64, _ jitter: Double) -> Step {
        guard received <= size else { return Step(action: anew()) }
        if received > furthest {
            furthest = received
            retries.noteProgress()
        }
        if received <= confirmed, case .sendPart = last {
            // A part that did not arrive, though the answer is a success.
            confirmed = received
            return again(after: .failed(.cut), jitter)
        }
        confirmed = received
        guard received < size else { return Step(action: .close) }
        let length = part.map { max($0, leastPart) } ?? size - received
        return Step(action: .sendPart(received..<min(size, received + length)))
    }

    /// The upload is begun once more; perhaps it has succeeded, and only the answer was lost.
    private mutating func anew() -> Action {
        confirmed = 0
        if cuts > 1, part == nil { part = Self.partSize }
        return isForced ? begin() : .look
    }

    private mutating func refused(_ answer: Answer, _ jitter: Double) -> Step {
        if answer.codes.contains("DIGEST_INVALID") {
            guard !isSecondCopy else { return Step(action: .failDamaged) }
            isSecondCopy = true
            return Step(action: anew())
        }
        switch answer.status {
        case 413:
            let smaller = part.map { min($0, size) / 2 } ?? min(Self.partSize, size / 2)
            guard smaller >= max(leastPart, Self.leastUsefulPart) else { return Step(action: .fail) }
            part = smaller
            return Step(action: anew())
        case 404, 416: return again(after: .failed(.cut), jitter, with: anew())
        case 400 where answer.codes.contains("BLOB_UPLOAD_INVALID") || answer.codes.contains("BLOB_UPLOAD_UNKNOWN"):
            return again(after: .failed(.cut), jitter, with: anew())
        default: return Step(action: .fail)
        }
    }

    /// Tries again, if that makes sense: the same request, or for bytes whose fate is not known the question for it.
    private mutating func again(
        after event: RetryState.Event, _ jitter: Double, with action: Action? = nil
    ) -> Step {
        guard case .retry(let wait) = retries.handle(event, jitter: jitter) else { return Step(action: .fail) }
        if let action { return Step(action: action, wait: wait) }
        switch last {
        case .sendAll, .sendPart, .close:
            cuts += 1
            return Step(action: .ask, wait: wait)
        case .look, .begin, .ask, .finish, .fail, .failDamaged: return Step(action: last, wait: wait)
        }
    }
}
