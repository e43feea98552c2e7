import Testing

@testable import WhittlePackages

@Suite("Go's build information")
struct ProgramTests {
    private static let modules =
        "path\texample.com/app\nmod\texample.com/app\t(devel)\t\ndep\tgolang.org/x/net\tv0.1.0\th1:x\n"
        + "dep\tgithub.com/a/b\tv1.0.0\n=>\tgithub.com/c/b\tv1.2.0\th1:y\ndep\tgithub.com/d\tv2.0.0\n=>\t./d\nbuild\tCGO_ENABLED=0\n"

    private static func marked(_ text: String) -> [UInt8] {
        ProgramScan.startMark + Array(text.utf8) + ProgramScan.endMark
    }

    private static func varint(_ bytes: [UInt8]) -> [UInt8] {
        var count = bytes.count
        var result: [UInt8] = []
        while count >= 0x80 {
            result.append(UInt8(count & 0x7F) | 0x80)
            count >>= 7
        }
        return result + [UInt8(count)] + bytes
    }

    /// A program of Go 1.18 or later.
    private static var inline: [UInt8] {
        var program: [UInt8] = [0x7F, 0x45, 0x4C, 0x46] + [UInt8](repeating: 7, count: 5000)
        // What programs that look for such information have in them.
        program += ProgramScan.magic + [UInt8](repeating: 0x41, count: 100) + ProgramScan.startMark + [1, 2, 3]
        program += ProgramScan.magic + [8, 2] + [UInt8](repeating: 0, count: 16)
        program += varint(Array("go1.22.3".utf8)) + varint(marked(modules))
        return program + [UInt8](repeating: 9, count: 3000)
    }

    /// A program of an older Go: constants at 4096, data at 8192, mapped one MiB higher.
    private static var pointers: [UInt8] {
        func number(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(value >> (8 * $0) & 0xFF) } }
        var head: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 25)
        head += number(64, 8) + number(0, 8) + number(0, 4) + number(64, 2) + number(56, 2) + number(1, 2)
        head += [UInt8](repeating: 0, count: 64 - head.count)
        head += number(1, 4) + number(5, 4) + number(0, 8) + number(1 << 20, 8) + number(1 << 20, 8)
        head += number(16384, 8) + number(16384, 8) + number(4096, 8)
        var program = head + [UInt8](repeating: 0, count: 4096 - head.count)
        program += Array("go1.16.5".utf8) + Array("other".utf8) + marked(modules)
        program += [UInt8](repeating: 0, count: 8192 - program.count)
        program += ProgramScan.magic + [8, 0] + number((1 << 20) + 8256, 8) + number((1 << 20) + 8272, 8)
        program += [UInt8](repeating: 0, count: 8256 - program.count)
        program += number((1 << 20) + 4096, 8) + number(8, 8)
        return program + [UInt8](repeating: 0, count: 2000)
    }

    private static func scan(_ program: [UInt8], chunk: Int) -> Findings {
        let reader = EvidenceReader(.program, path: "usr/bin/app")
        program.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                reader.take(UnsafeRawBufferPointer(rebasing: rest.prefix(chunk)))
                rest = rest.dropFirst(chunk)
            }
        }
        return reader.finish()
    }

    private static let expected = [
        "example.com/app@", "golang.org/x/net@v0.1.0", "github.com/c/b@v1.2.0", "github.com/d@v2.0.0",
    ]

    @Test("is read however the file is cut", arguments: [1, 7, 31, 4096, 5001, 1 << 20])
    func new(chunk: Int) {
        let found = Self.scan(Self.inline, chunk: chunk)
        #expect(found.packages.map { "\($0.fullName)@\($0.version)" } == Self.expected + ["stdlib@1.22.3"])
        #expect(PackageURL.text(found.packages[1], on: nil) == "pkg:golang/golang.org/x/net@v0.1.0")
    }

    @Test("of the older format is read however the file is cut", arguments: [1, 7, 31, 4096, 8250, 1 << 20])
    func old(chunk: Int) {
        let found = Self.scan(Self.pointers, chunk: chunk)
        #expect(found.packages.map { "\($0.fullName)@\($0.version)" } == Self.expected + ["stdlib@1.16.5"])
    }

    @Test("ends at any byte without a trap")
    func truncated() {
        for count in stride(from: 0, to: Self.pointers.count, by: 13) {
            _ = Self.scan(Array(Self.pointers.prefix(count)), chunk: 1000)
        }
        for count in stride(from: 5000, to: Self.inline.count, by: 13) {
            _ = Self.scan(Array(Self.inline.prefix(count)), chunk: 1000)
        }
    }

    @Test("is not looked for in what is no program")
    func text() {
        let reader = EvidenceReader(.program, path: "a")
        Array("#!/bin/sh".utf8).withUnsafeBytes { reader.take($0) }
        #expect(reader.isDone)
        #expect(reader.finish().isEmpty)
    }
}
