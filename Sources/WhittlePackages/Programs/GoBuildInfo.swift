/// What Go's linker says of a program.
struct GoBuildInfo: Hashable {
    /// `go1.22.3`; empty where it is not known.
    var goVersion: String
    /// Lines of words with tabs between them.
    var modules: String

    /// What bytes that begin with the magic text are.
    enum Outcome: Hashable {
        case info(GoBuildInfo)
        /// The header of an older Go.
        case pointers(Pointers)
        /// More bytes are needed.
        case incomplete
        case notThis
    }

    /// Addresses of the two texts' headers in the memory of the program.
    struct Pointers: Hashable {
        var version: UInt64
        var size: Int
        var isBigEndian: Bool
    }

    static func parse(_ bytes: [UInt8]) -> Outcome {
        guard bytes.count >= 32 else { return .incomplete }
        let size = Int(bytes[14])
        guard size == 4 || size == 8, bytes[15] <= 3 else { return .notThis }
        guard bytes[15] & 2 != 0 else {
            let isBigEndian = bytes[15] & 1 != 0
            let version = bytes[16..<16 + size].integer(isBigEndian: isBigEndian)
            return version == 0
                ? .notThis : .pointers(Pointers(version: version, size: size, isBigEndian: isBigEndian))
        }
        var rest = bytes[32...]
        switch text(&rest, limit: 1024) {
        case .text(let version):
            guard version.hasPrefix("go") || version.hasPrefix("devel") else { return .notThis }
            switch text(&rest, limit: 4 << 20) {
            case .text(let modules): return .info(GoBuildInfo(goVersion: version, modules: stripped(modules)))
            case .incomplete: return .incomplete
            case .invalid: return .notThis
            }
        case .incomplete: return .incomplete
        case .invalid: return .notThis
        }
    }

    /// The text between the marks that `bytes` begins with; `nil` where its end has not come.
    static func modules(_ bytes: [UInt8]) -> String? {
        bytes.withUnsafeBytes { buffer in
            let start = ProgramScan.startMark.count
            return ByteSearch.first(ProgramScan.endMark, rare: 0, in: buffer, from: start).map {
                String(decoding: buffer[start..<$0], as: UTF8.self)
            }
        }
    }

    /// Whether what follows the mark that `bytes` begins with may be a list of modules: programs that look for them have
    /// the mark too.
    static func mayBeModules(_ bytes: [UInt8]) -> Bool {
        let text = bytes.dropFirst(ProgramScan.startMark.count).prefix(4)
        return "path".utf8.starts(with: text) || "mod\t".utf8.starts(with: text)
    }

    private enum Piece {
        case text(String)
        case incomplete
        case invalid
    }

    /// Takes a text with its length as a varint in front.
    private static func text(_ rest: inout ArraySlice<UInt8>, limit: Int) -> Piece {
        var length = 0
        var shift = 0
        while true {
            guard let byte = rest.popFirst() else { return .incomplete }
            length |= Int(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
            guard shift <= 28 else { return .invalid }
        }
        guard length <= limit else { return .invalid }
        guard rest.count >= length else { return .incomplete }
        defer { rest = rest.dropFirst(length) }
        return .text(String(decoding: rest.prefix(length), as: UTF8.self))
    }

    /// Without the marks around it; they are no UTF-8, so each of their bytes may have become another number of bytes.
    private static func stripped(_ text: String) -> String {
        guard let start = text.range(of: "path\t") ?? text.range(of: "mod\t") else { return "" }
        let lines = text[start...]
        guard let end = lines.lastIndex(of: "\n") else { return "" }
        return String(lines[...end])
    }
}

extension GoBuildInfo {
    /// The module of the program, those it is made of, and Go's own library.
    var findings: Findings {
        var packages: [Package] = []
        for line in modules.split(separator: "\n") {
            let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard words.count >= 2 else { continue }
            let version = words.count >= 3 && words[2] != "(devel)" ? words[2] : ""
            switch words[0] {
            case "mod", "dep": packages.append(Self.module(words[1], version))
            // The module before is replaced by this one; one of the same machine has no version and stays.
            case "=>":
                if !version.isEmpty, !packages.isEmpty { packages[packages.count - 1] = Self.module(words[1], version) }
            default: break
            }
        }
        let version = goVersion.split(separator: " ").first.map(String.init) ?? ""
        if version.hasPrefix("go") {
            packages.append(
                Package(.golang, name: "stdlib", version: String(version.dropFirst(2)), license: "BSD-3-Clause"))
        }
        return Findings(packages)
    }

    private static func module(_ path: String, _ version: String) -> Package {
        let slash = path.lastIndex(of: "/")
        return Package(
            .golang, namespace: slash.map { String(path[..<$0]) } ?? "",
            name: slash.map { String(path[path.index(after: $0)...]) } ?? path, version: version)
    }
}

extension ArraySlice<UInt8> {
    /// The number that the bytes are; at most eight of them.
    func integer(isBigEndian: Bool) -> UInt64 {
        (isBigEndian ? Array(self) : self.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension String {
    /// The first place of `text`.
    fileprivate func range(of text: String) -> Index? {
        var place = startIndex
        while place < endIndex {
            if self[place...].hasPrefix(text) { return place }
            place = index(after: place)
        }
        return nil
    }
}
