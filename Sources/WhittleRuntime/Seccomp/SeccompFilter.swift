/// A seccomp profile compiled to a program of classic BPF, as seccomp(2) loads it.
///
/// crun takes it ready-made in an annotation; compiling the profile itself, with libseccomp, costs crun 10 ms a step.
/// System calls newer than the table answer `ENOSYS`, as under runc, so that C libraries fall back to older ones.
/// A call in the manner of another architecture than the program was made for kills the process.
package struct SeccompFilter: Sendable {
    /// One `struct sock_filter` of linux/filter.h. Jumps count from the next instruction.
    struct Instruction: Hashable {
        let code: UInt16
        var jumpTrue: UInt8 = 0
        var jumpFalse: UInt8 = 0
        var value: UInt32
    }

    let program: [Instruction]

    /// Compiles `profile` for programs of `architectures`; `nil` where there are none, or where the program is longer
    /// than the kernel takes (4096 instructions, `BPF_MAXINSNS`). The default profile makes about 600.
    package init?(_ profile: SeccompProfile, for architectures: [SeccompArchitecture] = SeccompArchitecture.native) {
        guard !architectures.isEmpty else { return nil }
        var program = [Instruction.load(offset: 4)]
        // x32 calls are x86-64 calls with a marker bit, that is, with high numbers: one tree for both.
        for architecture in architectures where architecture != .x32 {
            var tree = Self.tree(of: profile, architecture)
            if architecture == .x64, architectures.contains(.x32) {
                let marker = SeccompArchitecture.x32.numberBase
                tree = Self.branch(at: marker, below: tree, from: Self.tree(of: profile, .x32))
            }
            program.append(.skip(1, ifEqual: architecture.auditToken))
            program.append(.skip(tree.count + 1))
            program.append(.load(offset: 0))
            program += tree
        }
        program.append(.end(.killProcess))
        guard program.count <= 4096 else { return nil }
        self.program = program
    }

    /// The program in the byte order of this machine, 8 bytes an instruction.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(program.count * 8)
        for instruction in program {
            withUnsafeBytes(of: instruction.code) { bytes.append(contentsOf: $0) }
            bytes.append(instruction.jumpTrue)
            bytes.append(instruction.jumpFalse)
            withUnsafeBytes(of: instruction.value) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }
}

/// What a filter answers: `SECCOMP_RET_*` of linux/seccomp.h.
private enum Verdict: Hashable {
    case allow, killProcess
    case refuse(errno: UInt16)

    static let notPermitted = Verdict.refuse(errno: 1)
    static let noSuchCall = Verdict.refuse(errno: 38)

    var value: UInt32 {
        switch self {
        case .allow: 0x7fff_0000
        case .killProcess: 0x8000_0000
        case .refuse(let errno): 0x0005_0000 | UInt32(errno)
        }
    }
}

extension SeccompFilter.Instruction {
    /// Loads 32 bits of `struct seccomp_data`: the number at 0, the architecture at 4, arguments of 64 bits from 16.
    fileprivate static func load(offset: Int) -> Self { Self(code: 0x20, value: UInt32(offset)) }
    fileprivate static func end(_ verdict: Verdict) -> Self { Self(code: 0x06, value: verdict.value) }
    fileprivate static func skip(_ count: Int) -> Self { Self(code: 0x05, value: UInt32(count)) }
    fileprivate static func skip(_ count: UInt8, ifEqual value: UInt32) -> Self {
        Self(code: 0x15, jumpTrue: count, value: value)
    }
    fileprivate static func skip(_ count: UInt8, else other: UInt8 = 0, ifAtLeast value: UInt32) -> Self {
        Self(code: 0x35, jumpTrue: count, jumpFalse: other, value: value)
    }
    fileprivate static func skip(_ count: UInt8, ifAnyBit mask: UInt32) -> Self {
        Self(code: 0x45, jumpTrue: count, value: mask)
    }
}

extension SeccompFilter {
    /// What holds from a number on, until the next segment.
    private struct Segment {
        let start: UInt32
        let outcome: Outcome

        enum Outcome: Hashable {
            case verdict(Verdict)
            case depends(SeccompProfile.Condition)
        }
    }

    /// A search tree over the call numbers of `architecture`; the number is loaded. Every way through it ends.
    private static func tree(of profile: SeccompProfile, _ architecture: SeccompArchitecture) -> [Instruction] {
        var outcomes: [(number: UInt32, outcome: Segment.Outcome)] = []
        var newest: UInt32 = 0
        for row in SeccompTable.rows {
            guard let number = row.numbers[architecture.rawValue] else { continue }
            if number < architecture.privateNumbers { newest = max(newest, number) }
            let outcome: Segment.Outcome
            switch profile.grants[row.name] {
            case .allow: outcome = .verdict(.allow)
            case .allowIf(let condition): outcome = .depends(condition)
            case .refuse(let errno): outcome = .verdict(.refuse(errno: errno))
            case nil: outcome = .verdict(.notPermitted)
            }
            outcomes.append((number + architecture.numberBase, outcome))
        }
        outcomes.sort { $0.number < $1.number }

        let firstUnknown = newest + architecture.numberBase + 1
        var segments: [Segment] = []
        func add(_ outcome: Segment.Outcome, from start: UInt32) {
            if segments.last?.outcome != outcome { segments.append(Segment(start: start, outcome: outcome)) }
        }
        func addUnlisted(from start: UInt32, below end: UInt32) {
            if start < min(end, firstUnknown) { add(.verdict(.notPermitted), from: start) }
            if max(start, firstUnknown) < end { add(.verdict(.noSuchCall), from: max(start, firstUnknown)) }
        }
        var next: UInt32 = 0
        for (number, outcome) in outcomes {
            addUnlisted(from: next, below: number)
            add(outcome, from: number)
            next = number + 1
        }
        addUnlisted(from: next, below: .max)
        return tree(segments[...])
    }

    private static func tree(_ segments: ArraySlice<Segment>) -> [Instruction] {
        guard segments.count > 1 else {
            return segments.first.map { code(for: $0.outcome) } ?? [.end(.notPermitted)]
        }
        let middle = segments.startIndex + segments.count / 2
        return branch(at: segments[middle].start, below: tree(segments[..<middle]), from: tree(segments[middle...]))
    }

    /// Goes on in `below` for values under `value`, in `from` for others. A conditional jump skips at most 255.
    private static func branch(at value: UInt32, below: [Instruction], from: [Instruction]) -> [Instruction] {
        if let distance = UInt8(exactly: below.count) { return [.skip(distance, ifAtLeast: value)] + below + from }
        return [.skip(0, else: 1, ifAtLeast: value), .skip(below.count)] + below + from
    }

    private static func code(for outcome: Segment.Outcome) -> [Instruction] {
        switch outcome {
        case .verdict(let verdict):
            return [.end(verdict)]
        case .depends(.noBits(let argument, let mask)):
            return [
                .load(offset: low(argument)), .skip(1, ifAnyBit: mask), .end(.allow), .end(.notPermitted),
            ]
        case .depends(.among(let argument, let ranges)):
            var segments = [Segment(start: 0, outcome: .verdict(.notPermitted))]
            for range in ranges {
                if range.lowerBound == 0 { segments.removeAll() }
                segments.append(Segment(start: range.lowerBound, outcome: .verdict(.allow)))
                if range.upperBound < .max {
                    segments.append(Segment(start: range.upperBound + 1, outcome: .verdict(.notPermitted)))
                }
            }
            return [
                .load(offset: low(argument) + 4), .skip(1, ifEqual: 0), .end(.notPermitted),
                .load(offset: low(argument)),
            ] + tree(segments[...])
        }
    }

    /// The offset of the low half of an argument; all architectures here are little-endian.
    private static func low(_ argument: Int) -> Int { 16 + 8 * argument }
}
