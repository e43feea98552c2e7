import Foundation
import Testing
import WhittleCore

@testable import WhittleRuntime

@Suite("Programs for other processors")
struct EmulationTests {
    /// The first 20 bytes of an ELF file.
    private static func header(machine: UInt16, is64Bit: Bool = true, isLittle: Bool = true) -> ProgramHeader {
        var bytes: [UInt8] =
            [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isLittle ? 1 : 2, 1] + Array(repeating: 0, count: 9)
        for value in [UInt16(2), machine] {
            bytes += isLittle ? [UInt8(value & 0xff), UInt8(value >> 8)] : [UInt8(value >> 8), UInt8(value & 0xff)]
        }
        return ProgramHeader(bytes)
    }

    private static let arm64 = header(machine: 183)

    private static func handler(flags: String, state: String = "enabled") -> BinaryHandler? {
        BinaryHandler(
            "qemu-aarch64",
            parsing: """
                \(state)
                interpreter /usr/bin/qemu
                flags: \(flags)
                offset 0
                magic 7f454c460201010000000000000000000200b700
                mask ffffffffffffff00fffffffffffffffffeffffff
                """)
    }

    @Test(
        "the header tells the platform",
        arguments: [
            (header(machine: 62), "linux/amd64"), (header(machine: 3, is64Bit: false), "linux/386"),
            (arm64, "linux/arm64"), (header(machine: 40, is64Bit: false), "linux/arm"),
            (header(machine: 243), "linux/riscv64"), (header(machine: 22, isLittle: false), "linux/s390x"),
            (header(machine: 21), "linux/ppc64le"), (header(machine: 21, isLittle: false), "linux/ppc64"),
            (header(machine: 8), "linux/mips64le"), (header(machine: 258), "linux/loong64"),
        ])
    func platform(header: ProgramHeader, name: String) { #expect(header.platform.map { "\($0)" } == name) }

    @Test(
        "what is no ELF file, or cut short, has none",
        arguments: ["", "#!/bin/sh\n", "\u{7f}ELF", "hello, hello, hello, hello"])
    func noPlatform(text: String) { #expect(ProgramHeader(Array(text.utf8)).platform == nil) }

    @Test("a script's first line names the program")
    func script() {
        #expect(ProgramHeader(Array("#! /usr/bin/env  python3\nx".utf8)).scriptInterpreter == "/usr/bin/env")
        #expect(ProgramHeader(Array("#!".utf8)).scriptInterpreter == nil)
        #expect(ProgramHeader(Array("echo".utf8)).scriptInterpreter == nil)
    }

    @Test("a program that needs a loader is told from one that does not")
    func loader() throws {
        let file = try #require(FileManager.default.contents(atPath: "/bin/sh")).prefix(ProgramHeader.size)
        #expect(ProgramHeader(Array(file)).needsLoader)
        #expect(!Self.arm64.needsLoader)
        // Offsets that lead nowhere.
        let hostile = ProgramHeader(Array(file.prefix(32)) + Array(repeating: 0xff, count: 64))
        #expect(!hostile.needsLoader)
    }

    @Test("a handler takes what its magic says, through its mask")
    func magic() throws {
        let handler = try #require(Self.handler(flags: "POCF"))
        #expect(handler.isFixed && handler.takes(Self.arm64))
        #expect(!handler.takes(Self.header(machine: 62)))
        #expect(!handler.takes(ProgramHeader(Array(Self.arm64.bytes.prefix(19)))))
        var executable = Self.arm64.bytes
        executable[16] = 3  // a position-independent one
        #expect(handler.takes(ProgramHeader(executable)))
    }

    @Test("handlers that are disabled, or that cannot be understood, are none")
    func unusable() {
        #expect(Self.handler(flags: "F", state: "disabled") == nil)
        for text in [
            "", "enabled", "enabled\ninterpreter /x\nflags: \nextension .py", "enabled\ninterpreter /x\nmagic 7",
        ] {
            #expect(BinaryHandler("x", parsing: text) == nil)
        }
    }

    @Test("what this machine does with a program depends on its handlers")
    func verdicts() throws {
        let host = Platform(os: "linux", architecture: "amd64")
        func verdict(_ header: ProgramHeader, _ handlers: [BinaryHandler]?) -> Emulation.Verdict {
            Emulation.verdict(on: header, host: host, handlers: { handlers })
        }
        let fixed = try #require(Self.handler(flags: "OCF"))
        let open = try #require(Self.handler(flags: "OC"))
        #expect(verdict(Self.arm64, []) == .isForeign(Platform(os: "linux", architecture: "arm64")))
        #expect(verdict(Self.arm64, [fixed]) == .runs)
        #expect(verdict(Self.arm64, [fixed, open]) == .needsInterpreter(open))
        // Who cannot read them leaves it to the kernel.
        #expect(verdict(Self.arm64, nil) == .runs)
        for own in [
            Self.header(machine: 62), Self.header(machine: 3, is64Bit: false), ProgramHeader(Array("#!/x".utf8)),
        ] {
            #expect(
                Emulation.verdict(
                    on: own, host: host,
                    handlers: {
                        Issue.record("not needed")
                        return []
                    }) == .runs)
        }
    }

    @Test("the advice goes by what the machine has")
    func advice() {
        func advice(_ architecture: String, _ files: Set<String>) -> String {
            EmulatorAdvice(for: Platform(os: "linux", architecture: architecture), exists: { files.contains($0) }).text
        }
        #expect(advice("arm64", []).hasPrefix("install one with 'apt install qemu-user-static'"))
        #expect(advice("arm64", []).contains("tonistiigi/binfmt --install arm64"))
        let program = "/usr/bin/qemu-aarch64-static"
        #expect(advice("arm64", [program]).contains("'update-binfmts --enable qemu-aarch64'"))
        let registered = advice("arm64", [program, "/usr/lib/binfmt.d/qemu-aarch64.conf"])
        #expect(registered.contains("'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && cat /usr/lib/binfmt.d/"))
        let mounted = advice(
            "arm64", [program, "/usr/lib/binfmt.d/qemu-aarch64.conf", "/proc/sys/fs/binfmt_misc/register"])
        #expect(!mounted.contains("mount -t") && mounted.contains("> /proc/sys/fs/binfmt_misc/register'"))
        #expect(advice("wasm", []).hasPrefix("run the step on a machine that is linux/wasm"))
        for text in [advice("arm64", []), registered, advice("wasm", [])] {
            #expect(text.hasSuffix("FROM --platform=$BUILDPLATFORM"))
        }
    }
}
