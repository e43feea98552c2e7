/// A program that the kernel starts for files of a kind that it cannot run: one entry of binfmt_misc.
///
/// Format: Linux, Documentation/admin-guide/binfmt-misc.rst; what reading an entry gives.
struct BinaryHandler: Hashable, Sendable {
    let name: String
    /// Absolute, on the machine that registered it.
    let interpreter: String
    /// Whether the kernel has opened the interpreter (`F`), so that a container need not have it.
    let isFixed: Bool
    private let offset: Int
    private let magic: [UInt8]
    private let mask: [UInt8]

    /// `nil` for an entry that is disabled, or that goes by the names of files.
    init?(_ name: String, parsing text: String) {
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        guard lines.first == "enabled" else { return nil }
        func value(_ key: String) -> String? {
            lines.first { $0.hasPrefix(key + " ") }.map { String($0.dropFirst(key.count + 1)) }
        }
        guard let interpreter = value("interpreter"), let magic = value("magic").flatMap(Self.bytes), !magic.isEmpty,
            let offset = Int(value("offset") ?? "0"), offset >= 0
        else { return nil }
        self.name = name
        self.interpreter = interpreter
        self.offset = offset
        self.magic = magic
        let mask = value("mask").flatMap(Self.bytes) ?? []
        self.mask = mask.count == magic.count ? mask : Array(repeating: 0xff, count: magic.count)
        isFixed = value("flags:")?.contains("F") ?? false
    }

    /// Whether the kernel gives files that begin like this to the handler.
    func takes(_ header: ProgramHeader) -> Bool {
        guard header.bytes.count >= offset + magic.count else { return false }
        return magic.indices.allSatisfy { (header.bytes[offset + $0] ^ magic[$0]) & mask[$0] == 0 }
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = hex.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8((digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0)) }
    }
}
