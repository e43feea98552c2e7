import Testing

@testable import WhittleRuntime

@Suite("Teardown")
struct TeardownTests {
    @Test("goes from one step to the next when its time is over, and stays at the last")
    func sequence() {
        let start = ContinuousClock.now
        var progress = TeardownProgress(.standard)
        #expect(progress.deadline == nil)
        #expect(progress.next(at: start) == .terminate)
        #expect(progress.deadline == start + .seconds(2))
        #expect(progress.next(at: start + .milliseconds(1999)) == nil)
        #expect(progress.next(at: start + .seconds(2)) == .kill)
        #expect(progress.next(at: start + .seconds(6)) == nil)
        #expect(progress.next(at: start + .seconds(7)) == .abandon)
        #expect(progress.deadline == nil)
        #expect(progress.next(at: start + .seconds(100)) == nil)
    }

    @Test("reads lines of /proc/PID/stat, whatever the process calls itself")
    func stat() {
        let rest = "S 41 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3"
        for name in ["sh", "a b", ") S 1 (", "", "(("] {
            let entry = ProcessTree.Entry(stat: Array("42 (\(name)) \(rest)".utf8))
            #expect(entry?.identifier == 42 && entry?.parent == 41 && entry?.started == 987654, "\(name)")
        }
        for broken in ["", "42", "42 (sh", "42 (sh) S", "x (sh) \(rest)"] {
            #expect(ProcessTree.Entry(stat: Array(broken.utf8)) == nil)
        }
    }
}
