package import WhittleCore

/// The first bytes of a program, as far as they tell who can run it.
///
/// Format: System V ABI, "ELF Header" and "Program Header".
package struct ProgramHeader: Hashable, Sendable {
    package let bytes: [UInt8]

    /// More than the kernel gives to binfmt_misc (256), and enough for the program headers, which follow the ELF header.
    static let size = 4096

    /// - Parameter bytes: the file's first ``size`` ones, fewer where it is shorter.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether it is ELF, or a script with a first line: what every Linux kernel takes.
    var isProgram: Bool { isELF || bytes.starts(with: Array("#!".utf8)) }

    private var isELF: Bool { bytes.count >= 20 && bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) }

    private var is64Bit: Bool { bytes[4] == 2 }
    private var isLittleEndian: Bool { bytes[5] == 1 }

    /// What the program is built for; `nil` for a script and for processors without a name here.
    package var platform: Platform? {
        guard isELF else { return nil }
        // e_machine
        let name: String? =
            switch (number(at: 18, bytes: 2), is64Bit, isLittleEndian) {
            case (3, _, _): "386"
            case (62, _, _): "amd64"
            case (40, _, _): "arm"
            case (183, _, _): "arm64"
            case (243, true, _): "riscv64"
            case (258, true, _): "loong64"
            case (22, true, _): "s390x"
            case (21, true, true): "ppc64le"
            case (21, true, false): "ppc64"
            case (8, true, true): "mips64le"
            case (8, true, false): "mips64"
            case (8, false, true): "mipsle"
            case (8, false, false): "mips"
            default: nil
            }
        return name.map { Platform(os: "linux", architecture: $0) }
    }

    /// The program that a script's first line names.
    var scriptInterpreter: String? {
        guard bytes.starts(with: Array("#!".utf8)) else { return nil }
        let line = bytes.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
        return words.first.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the program needs a dynamic loader (PT_INTERP); `false` where the header does not say.
    var needsLoader: Bool {
        guard isELF else { return false }
        let table = Int(is64Bit ? number(at: 32, bytes: 8) : number(at: 28, bytes: 4))
        let size = Int(number(at: is64Bit ? 54 : 42, bytes: 2))
        let count = Int(number(at: is64Bit ? 56 : 44, bytes: 2))
        guard size >= 4, table >= 0, table < bytes.count else { return false }
        return (0..<count).contains { number(at: table + $0 * size, bytes: 4) == 3 }
    }

    /// 0 for what is not in the header.
    private func number(at offset: Int, bytes count: Int) -> UInt32 {
        guard offset >= 0, offset + count <= bytes.count else { return 0 }
        let field = bytes[offset..<offset + count]
        var value: UInt64 = 0
        for byte in isLittleEndian ? Array(field.reversed()) : Array(field) { value = value << 8 | UInt64(byte) }
        return UInt32(truncatingIfNeeded: value)
    }
}
