package import WhittleCore

extension BuildError.Code {
    /// The value of `--chmod` is neither an octal nor a symbolic mode.
    static let invalidMode = BuildError.Code(rawValue: "invalid-mode")
}

extension BuildError {
    static func invalidMode(_ text: String) -> BuildError {
        BuildError(
            .invalidMode, "'\(printable(text))' is not a file mode",
            hint: "write an octal number from 0 to 7777, or symbols as for chmod(1): u=rwX,go=rX")
    }
}

/// A change of permission bits as chmod(1) takes it: octal (`0755`) or symbolic (`u=rwX,go=rX`, `a+x`, `g=u-w`).
///
/// The symbolic form is that of setmode(3) of BSD with an empty umask, which BuildKit uses: `X` sets the execute bits
/// only of directories and of what could be executed before; `s` and `t` of `o` alone have no effect.
package struct ModeChange: Hashable, Sendable {
    private enum Step: Hashable {
        case clear(UInt32)
        case set(UInt32)
        /// Sets the bits of a directory, and of what had an execute bit.
        case setExecutable(UInt32)
        /// Copies the `rwx` that are `shift` bits up to the classes of `mask`.
        case copy(shift: UInt32, mask: UInt32, clears: Bool, sets: Bool)
    }

    private let steps: [Step]

    /// The mode of directories that a copy makes on the way to its destination, and of the destination that it makes for a
    /// directory's contents. As in BuildKit, an octal mode is theirs too, without the bits for setuid, setgid and sticky;
    /// a symbolic one is not.
    package let newDirectoryMode: UInt32

    /// Reads a mode.
    ///
    /// - Throws: `BuildError` (`invalid-mode`).
    package init(parsing text: String) throws(BuildError) {
        let octal = Self.octal(text)
        guard let steps = octal.map({ [.clear(0o7777), .set($0)] }) ?? Self.symbolic(text) else {
            throw BuildError.invalidMode(text)
        }
        self.steps = steps
        newDirectoryMode = octal.map { $0 & 0o777 } ?? 0o755
    }

    /// The twelve permission bits after the change of `permissions`.
    package func applied(to permissions: UInt32, isDirectory: Bool) -> UInt32 {
        var mode = permissions & 0o7777
        for step in steps {
            switch step {
            case .clear(let bits): mode &= ~bits
            case .set(let bits): mode |= bits
            case .setExecutable(let bits):
                if isDirectory || permissions & 0o111 != 0 { mode |= bits }
            case .copy(let shift, let mask, let clears, let sets):
                let source = mode >> shift & 7
                let value = (source << 6 | source << 3 | source) & mask
                // `=` replaces all three bits, `-` takes away those that the source has.
                if clears { mode &= ~(sets ? mask : value) }
                if sets { mode |= value }
            }
        }
        return mode
    }

    private static func octal(_ text: String) -> UInt32? {
        guard text.utf8.allSatisfy({ (0x30...0x37).contains($0) }), let mode = UInt32(text, radix: 8), mode <= 0o7777
        else { return nil }
        return mode
    }

    private static func symbolic(_ text: String) -> [Step]? {
        var steps: [Step] = []
        for clause in text.split(separator: ",", omittingEmptySubsequences: false) {
            var rest = clause.utf8[...]
            var who: UInt32 = 0
            while let byte = rest.first, let bits = classBits(byte) {
                who |= bits
                rest.removeFirst()
            }
            guard !rest.isEmpty else { return nil }
            while let operation = rest.popFirst() {
                guard "+-=".utf8.contains(operation), let parsed = permissions(&rest, who, operation) else {
                    return nil
                }
                steps += parsed
            }
        }
        return steps
    }

    /// One operator and what follows it, up to the next operator.
    private static func permissions(_ rest: inout Substring.UTF8View, _ who: UInt32, _ operation: UInt8) -> [Step]? {
        let clears = operation == UInt8(ascii: "=")
        let removes = operation == UInt8(ascii: "-")
        var steps: [Step] = []
        var bits: UInt32 = 0
        var executable: UInt32 = 0
        // With no class given, all are meant; `=` then leaves the sticky bit alone.
        var mask = who == 0 ? 0o7777 : who
        let cleared = who == 0 ? 0o6777 : who
        while let byte = rest.first, !"+-=".utf8.contains(byte) {
            rest.removeFirst()
            switch byte {
            case UInt8(ascii: "r"): bits |= 0o444
            case UInt8(ascii: "w"): bits |= 0o222
            case UInt8(ascii: "x"): bits |= 0o111
            case UInt8(ascii: "X"): if removes { bits |= 0o111 } else { executable = 0o111 }
            case UInt8(ascii: "s"): if who != 0o007 { bits |= 0o6000 }
            case UInt8(ascii: "t"):
                if who != 0o007 {
                    mask |= 0o1000
                    bits |= 0o1000
                }
            case UInt8(ascii: "u"), UInt8(ascii: "g"), UInt8(ascii: "o"):
                let shift: UInt32 = byte == UInt8(ascii: "u") ? 6 : byte == UInt8(ascii: "g") ? 3 : 0
                steps.append(
                    .copy(shift: shift, mask: mask & 0o777, clears: clears || removes, sets: !removes))
            default: return nil
            }
        }
        var result: [Step] = clears && steps.isEmpty ? [.clear(cleared | (bits & 0o1000))] : []
        result += steps
        if bits != 0 { result.append(removes ? .clear(bits & mask) : .set(bits & mask)) }
        if executable != 0 { result.append(.setExecutable(executable & mask)) }
        return result
    }

    private static func classBits(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "u"): 0o4700
        case UInt8(ascii: "g"): 0o2070
        case UInt8(ascii: "o"): 0o007
        case UInt8(ascii: "a"): 0o6777
        default: nil
        }
    }
}
