import Testing
import WhittleHTTP

@testable import WhittleRegistry

@Suite("What is asked next of a registry that is to have a blob")
struct UploadStateTests {
    typealias Action = UploadState.Action

    private func answer(
        _ status: Int, at: Bool = false, received: Int64? = nil, codes: Set<String> = [], least: Int64? = nil
    ) -> UploadState.Event {
        .answered(.init(status: status, codes: codes, hasLocation: at, received: received, leastPart: least))
    }

    /// Feeds `events` and gives the actions, the first one included.
    private func actions(
        size: Int64 = 100, origins: [String] = [], isForced: Bool = false, _ events: [UploadState.Event]
    ) -> [Action] {
        var state = UploadState(size: size, origins: origins, policy: RetryPolicy(), isForced: isForced)
        return [state.start.action] + events.map { state.handle($0, jitter: 0).action }
    }

    @Test("a blob that is there is not sent")
    func existing() {
        #expect(actions([answer(200)]) == [.look, .finish(.existing)])
    }

    @Test("one that is not there is sent in one request")
    func whole() {
        #expect(
            actions([answer(404), answer(202, at: true), answer(201)])
                == [.look, .begin(mountingFrom: nil), .sendAll, .finish(.uploaded)])
    }

    @Test("one that is elsewhere is mounted, from the first place that gives it")
    func mount() {
        #expect(
            actions(origins: ["a", "b"], [answer(404), answer(403), answer(201)]) == [
                .look, .begin(mountingFrom: "a"), .begin(mountingFrom: "b"), .finish(.mounted(from: "b")),
            ])
        #expect(
            actions(origins: ["a"], [answer(404), answer(202, at: true), answer(201)])
                == [.look, .begin(mountingFrom: "a"), .sendAll, .finish(.uploaded)])
        #expect(actions(origins: ["a"], [answer(404), answer(404)]).last == .begin(mountingFrom: nil))
    }

    @Test("after a cut the rest is sent, and a registry that knows nothing gets all of it again")
    func cut() {
        let begun = [answer(404), answer(202, at: true), .failed(.cut)]
        #expect(actions(begun).suffix(2) == [.sendAll, .ask])
        #expect(
            actions(begun + [answer(204, at: true, received: 60), answer(202, at: true, received: 100), answer(201)])
                .suffix(3) == [.sendPart(60..<100), .close, .finish(.uploaded)])
        #expect(
            actions(begun + [answer(204, received: 100), answer(201)]).suffix(2) == [.close, .finish(.uploaded)])
        #expect(actions(begun + [answer(204, received: 0)]).last == .look)
        #expect(actions(begun + [answer(204, received: 101)]).last == .look)
        #expect(actions(begun + [answer(416)]).last == .look)
        // The answer to the last byte was lost.
        #expect(actions(begun + [answer(404), answer(200)]).suffix(2) == [.look, .finish(.existing)])
    }

    @Test("a large blob that is cut twice and never resumed goes in parts")
    func parts() {
        let size: Int64 = 80 << 20
        let lost = [answer(404), answer(202, at: true), .failed(.cut), answer(404)]
        let part = UploadState.partSize
        let found = actions(
            size: size,
            lost + lost + [
                answer(404), answer(202, at: true), answer(202, at: true, received: part),
                answer(202, received: 2 * part), answer(202, received: size),
            ])
        #expect(
            found.suffix(4) == [
                .sendPart(0..<part), .sendPart(part..<(2 * part)), .sendPart((2 * part)..<size), .close,
            ])
    }

    @Test("a registry that takes only small requests gets parts, and no smaller ones than it wants")
    func tooLarge() {
        let size: Int64 = 10 << 20
        let refused = [answer(404), answer(202, at: true), answer(413)]
        #expect(actions(size: size, refused + refused.prefix(2)).last == .sendPart(0..<(5 << 20)))
        #expect(
            actions(size: size, refused + [answer(404), answer(202, at: true, least: 7 << 20)]).last
                == .sendPart(0..<(7 << 20)))
        #expect(actions(size: 1000, refused).last == .fail)
    }

    @Test("it gives up in the end, also on a registry that forgets all the time")
    func limit() {
        let cuts = Array(repeating: UploadState.Event.failed(.cut), count: 9)
        #expect(actions(cuts).contains(.fail))
        var state = UploadState(size: 100, origins: [], policy: RetryPolicy())
        var step = state.start
        var count = 0
        while step.action != .fail, count < 1000 {
            count += 1
            switch step.action {
            case .look: step = state.handle(answer(404), jitter: 0)
            case .begin: step = state.handle(answer(202, at: true), jitter: 0)
            case .sendAll: step = state.handle(.failed(.cut), jitter: 0)
            case .ask: step = state.handle(answer(204, received: 50), jitter: 0)
            case .sendPart: step = state.handle(answer(404), jitter: 0)
            default: Issue.record("\(step.action)")
            }
        }
        #expect(count < 100)
    }

    @Test("other bytes than the digest's are sent once more, then it is an error")
    func damaged() {
        let damage = answer(400, codes: ["DIGEST_INVALID"])
        let sent = [answer(404), answer(202, at: true), damage]
        #expect(actions(sent).last == .look)
        #expect(actions(sent + sent).last == .failDamaged)
    }

    @Test("what the registry lacks, whatever it says, is not asked for")
    func forced() {
        let sent = actions(isForced: true, [answer(202, at: true), .failed(.cut), answer(404)])
        #expect(sent == [.begin(mountingFrom: nil), .sendAll, .ask, .begin(mountingFrom: nil)])
    }

    @Test("a refusal is final, a storm is waited out as long as the registry asks")
    func waits() {
        #expect(actions([answer(404), answer(403)]).last == .fail)
        var state = UploadState(size: 100, origins: [], policy: RetryPolicy())
        let step = state.handle(.answered(.init(status: 429, retryAfter: .seconds(7))), jitter: 0)
        #expect(step == .init(action: .look, wait: .seconds(7)))
    }
}
