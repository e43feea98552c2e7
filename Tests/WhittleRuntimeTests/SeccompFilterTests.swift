import Testing

@testable import WhittleRuntime

@Suite("SeccompFilter")
struct SeccompFilterTests {
    private static let allow: UInt32 = 0x7fff_0000
    private static let notPermitted: UInt32 = 0x0005_0001
    private static let noSuchCall: UInt32 = 0x0005_0026
    private static let kill: UInt32 = 0x8000_0000

    private static func filter(_ architectures: [SeccompArchitecture]) throws -> SeccompFilter {
        let profile = SeccompProfile.containerDefault(capabilities: Set(Capability.containerDefault))
        return try #require(SeccompFilter(profile, for: architectures))
    }

    @Test(
        "answers each call number as the table has it, on every architecture",
        arguments: [[SeccompArchitecture.x64, .x86, .x32], [.arm64, .arm]])
    func numbers(family: [SeccompArchitecture]) throws {
        let machine = FilterMachine(try Self.filter(family))
        let held = Set(Capability.containerDefault)
        for architecture in family {
            var expected: [UInt32: UInt32] = [:]
            for row in SeccompTable.rows {
                guard let number = row.numbers[architecture.rawValue] else { continue }
                switch row.condition {
                case .always: expected[number] = Self.allow
                case .capabilities(let any):
                    expected[number] = held.isDisjoint(with: any) ? Self.notPermitted : Self.allow
                case .conditional:
                    // With arguments of zero: no namespace, the plain personality, AF_UNSPEC; clone3 shows nothing.
                    expected[number] = row.name == "clone3" ? Self.noSuchCall : Self.allow
                }
            }
            for number in UInt32(0)..<600 {
                let answer = machine.answer(architecture, number)
                if let verdict = expected[number] {
                    #expect(answer == verdict, "\(architecture) \(number)")
                } else {
                    #expect(answer == Self.notPermitted || answer == Self.noSuchCall, "\(architecture) \(number)")
                }
            }
        }
    }

    struct Call: CustomTestStringConvertible, Sendable {
        let name: String
        let argument: UInt64
        let isAllowed: Bool
        var testDescription: String { "\(name)(0x\(String(argument, radix: 16)))" }
    }

    private static let calls: [Call] = [
        Call(name: "socket", argument: 1, isAllowed: true),
        Call(name: "socket", argument: 2, isAllowed: true),
        Call(name: "socket", argument: 10, isAllowed: true),
        Call(name: "socket", argument: 16, isAllowed: true),
        Call(name: "socket", argument: 45, isAllowed: true),
        Call(name: "socket", argument: 12, isAllowed: false),
        Call(name: "socket", argument: 38, isAllowed: false),
        Call(name: "socket", argument: 40, isAllowed: false),
        Call(name: "socket", argument: 46, isAllowed: false),
        Call(name: "socket", argument: 0x1_0000_0002, isAllowed: false),
        Call(name: "personality", argument: 0, isAllowed: true),
        Call(name: "personality", argument: 8, isAllowed: true),
        Call(name: "personality", argument: 0x20008, isAllowed: true),
        Call(name: "personality", argument: 0xffff_ffff, isAllowed: true),
        Call(name: "personality", argument: 0x40000, isAllowed: false),
        Call(name: "personality", argument: 0xffff_ffff_ffff_ffff, isAllowed: false),
        Call(name: "clone", argument: 0x0100_0011, isAllowed: true),
        Call(name: "clone", argument: 0x1000_0011, isAllowed: false),
        Call(name: "clone", argument: 0x0002_0000, isAllowed: false),
        Call(name: "mount", argument: 0, isAllowed: false),
        Call(name: "chroot", argument: 0, isAllowed: true),
        Call(name: "keyctl", argument: 0, isAllowed: false),
    ]

    @Test("lets FIFOs, sockets and files be made, and no device nodes")
    func deviceNodes() throws {
        let machine = FilterMachine(try Self.filter([.x64, .x86, .x32]))
        let kinds: [(mode: UInt64, isAllowed: Bool)] = [
            (0o010644, true), (0o140644, true), (0o100644, true), (0o644, true), (0o020666, false), (0o060600, false),
        ]
        for (name, argument) in [("mknod", 1), ("mknodat", 2)] {
            let row = try #require(SeccompTable.rows.first { $0.name == name })
            let number = try #require(row.numbers[SeccompArchitecture.x64.rawValue])
            for (mode, isAllowed) in kinds {
                var arguments: [UInt64] = [7, 7, 7]
                arguments[argument] = mode
                let expected = isAllowed ? Self.allow : Self.notPermitted
                #expect(machine.answer(.x64, number, arguments: arguments) == expected, "\(name) \(mode)")
            }
        }
    }

    @Test("looks at arguments where the profile asks for it", arguments: calls)
    func arguments(call: Call) throws {
        let machine = FilterMachine(try Self.filter([.x64, .x86, .x32]))
        // keyctl is in no row: it has no grant.
        let number =
            SeccompTable.rows.first { $0.name == call.name }?.numbers[SeccompArchitecture.x64.rawValue] ?? 250
        let answer = machine.answer(.x64, number, arguments: [call.argument])
        #expect(answer == (call.isAllowed ? Self.allow : Self.notPermitted))
    }

    @Test("tells programs that newer calls do not exist, so that they fall back")
    func newerCalls() throws {
        let machine = FilterMachine(try Self.filter([.x64, .x86, .x32]))
        #expect(machine.answer(.x64, 466) == Self.allow)
        #expect(machine.answer(.x64, 467) == Self.noSuchCall)
        #expect(machine.answer(.x86, 467) == Self.noSuchCall)
        #expect(machine.answer(.x32, 470) == Self.noSuchCall)
        #expect(machine.answer(.x64, .max) == Self.noSuchCall)
        let arm = FilterMachine(try Self.filter([.arm64, .arm]))
        #expect(arm.answer(.arm64, 467) == Self.noSuchCall)
        // set_tls and its like have numbers far above.
        #expect(arm.answer(.arm, 0x0f_0005) == Self.allow)
    }

    @Test("kills a program that calls in the manner of a foreign architecture")
    func foreign() throws {
        let machine = FilterMachine(try Self.filter([.x64, .x86, .x32]))
        #expect(machine.answer(.arm64, 63) == Self.kill)
    }

    @Test("opens the calls that a capability stands for")
    func capabilities() throws {
        let profile = SeccompProfile.containerDefault(capabilities: [.sysAdmin])
        let machine = FilterMachine(try #require(SeccompFilter(profile, for: [.x64])))
        for number: UInt32 in [165, 56, 435, 103] { #expect(machine.answer(.x64, number) == Self.allow) }
        #expect(machine.answer(.x64, 56, arguments: [0x1000_0000]) == Self.allow)
        #expect(machine.answer(.x64, 161) == Self.notPermitted, "chroot needs CAP_SYS_CHROOT")
    }

    @Test("stays well below the kernel's limit, also for conditions on many values")
    func length() throws {
        #expect(try Self.filter([.x64, .x86, .x32]).program.count < 1000)
        let odd = stride(from: UInt32(1), to: 600, by: 2).map { $0...$0 }
        let profile = SeccompProfile(grants: ["socket": .allowIf(.among(argument: 1, odd))])
        let machine = FilterMachine(try #require(SeccompFilter(profile, for: [.arm64])))
        #expect(machine.answer(.arm64, 198, arguments: [0, 599]) == Self.allow)
        #expect(machine.answer(.arm64, 198, arguments: [0, 300]) == Self.notPermitted)
        #expect(machine.answer(.arm64, 198, arguments: [0, 5001]) == Self.notPermitted)
        let many = (0..<5000).map { UInt32($0 * 2)...UInt32($0 * 2) }
        #expect(
            SeccompFilter(SeccompProfile(grants: ["socket": .allowIf(.among(argument: 1, many))]), for: [.arm64]) == nil
        )
    }
}

/// Runs classic BPF programs as seccomp does, from their bytes.
private struct FilterMachine {
    private let code: [(operation: UInt16, jumpTrue: Int, jumpFalse: Int, value: UInt32)]

    init(_ filter: SeccompFilter) {
        let bytes = filter.bytes
        func number(_ range: Range<Int>) -> UInt32 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        code = stride(from: 0, to: bytes.count, by: 8).map {
            (UInt16(number($0..<$0 + 2)), Int(bytes[$0 + 2]), Int(bytes[$0 + 3]), number($0 + 4..<$0 + 8))
        }
    }

    func answer(_ architecture: SeccompArchitecture, _ number: UInt32, arguments: [UInt64] = []) -> UInt32? {
        func load(_ offset: UInt32) -> UInt32 {
            switch offset {
            case 0: return number == .max ? number : number + architecture.numberBase
            case 4: return architecture.auditToken
            default:
                let index = Int(offset - 16) / 8
                let argument = index < arguments.count ? arguments[index] : 0
                return offset % 8 == 0 ? UInt32(truncatingIfNeeded: argument) : UInt32(argument >> 32)
            }
        }
        var accumulator: UInt32 = 0
        var position = 0
        while position < code.count {
            let (operation, jumpTrue, jumpFalse, value) = code[position]
            position += 1
            switch operation {
            case 0x20: accumulator = load(value)
            case 0x06: return value
            case 0x05: position += Int(value)
            case 0x15: position += accumulator == value ? jumpTrue : jumpFalse
            case 0x35: position += accumulator >= value ? jumpTrue : jumpFalse
            case 0x45: position += accumulator & value != 0 ? jumpTrue : jumpFalse
            default: return nil
            }
        }
        return nil
    }
}
