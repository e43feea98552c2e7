internal import Glibc

/// Looks in a program, as its bytes stream by, for what Go's linker wrote of the modules in it.
///
/// Format: Go's `debug/buildinfo`. A header of 32 bytes begins with a magic text, the size of a pointer, and flags. Since Go
/// 1.18 (flag 2) two texts follow it, each with its length as a varint in front: the version of Go, and the modules between
/// two marks of 16 bytes. Before, the header had the addresses of the two texts; then the version is found through the
/// program headers, and the modules by their marks.
struct ProgramScan {
    private(set) var isDone = false
    private var head: [UInt8] = []
    /// The end of what was seen, so that a text that is cut by a chunk is found.
    private var tail: [UInt8] = []
    /// The offset in the file of what comes next.
    private var offset: Int64 = 0
    private var isELF: Bool?
    private var capture: Capture?
    private var info: GoBuildInfo?
    private var old = OldFormat()

    static let magic: [UInt8] = [0xFF] + Array(" Go buildinf:".utf8)
    static let startMark: [UInt8] = [
        0x30, 0x77, 0xAF, 0x0C, 0x92, 0x74, 0x08, 0x02, 0x41, 0xE1, 0xC1, 0x07, 0xE6, 0xD6, 0x18, 0xE6,
    ]
    static let endMark: [UInt8] = [
        0xF9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xD8, 0xF2,
    ]
    /// Longest of what is looked for, less one.
    private static let tailSize = 31
    /// Program headers of usual programs end within the first 4 KiB.
    private static let headSize = 4096
    /// The modules of Kubernetes take 50 KiB.
    private static let captureLimit = 4 << 20

    /// Bytes from the place of a mark on.
    fileprivate struct Capture {
        enum Kind { case header, modules }
        let kind: Kind
        var bytes: [UInt8] = []
    }

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        guard !isDone, !chunk.isEmpty else { return }
        if head.count < Self.headSize {
            head.append(contentsOf: chunk.prefix(Self.headSize - head.count))
            if isELF == nil, head.count >= 4 {
                isELF = head.starts(with: [0x7F, 0x45, 0x4C, 0x46])
                if isELF == false {
                    isDone = true
                    return
                }
            }
        }
        search(chunk)
        offset += Int64(chunk.count)
    }

    /// What the program says; nothing where it is not of Go.
    var findings: Findings {
        guard let info = info ?? old.info else { return Findings() }
        return info.findings
    }

    private mutating func search(_ chunk: UnsafeRawBufferPointer) {
        var bytes = tail
        bytes.append(contentsOf: chunk)
        let start = offset - Int64(tail.count)
        bytes.withUnsafeBytes { buffer in
            if capture != nil {
                extend(with: UnsafeRawBufferPointer(rebasing: buffer[tail.count...]))
            }
            var from = 0
            while capture == nil, !isDone, let found = Self.nextMark(in: buffer, from: from) {
                // One that ends in the tail was seen with the chunk before.
                from = found.position + 1
                guard found.position + found.kind.mark.count > tail.count else { continue }
                capture = Capture(kind: found.kind)
                extend(with: UnsafeRawBufferPointer(rebasing: buffer[found.position...]))
            }
            // Last, because what is asked of it may be in these bytes already.
            old.take(buffer, at: start)
        }
        tail = Array(bytes.suffix(Self.tailSize))
    }

    /// Adds to what is captured, and drops it where it is not what it looked like.
    private mutating func extend(with bytes: UnsafeRawBufferPointer) {
        guard var open = capture else { return }
        capture = nil
        open.bytes.append(contentsOf: bytes.prefix(Self.captureLimit - open.bytes.count))
        switch open.kind {
        case .header:
            switch GoBuildInfo.parse(open.bytes) {
            case .info(let info):
                self.info = info
                isDone = true
            case .pointers(let pointers): old.found(pointers, head)
            case .incomplete: if open.bytes.count < Self.captureLimit { capture = open }
            case .notThis: break
            }
        case .modules:
            // The header may come behind it: kept aside until then.
            if let text = GoBuildInfo.modules(open.bytes) {
                old.modules = old.modules ?? text
            } else if !GoBuildInfo.mayBeModules(open.bytes) {
                break
            } else if open.bytes.count < Self.captureLimit {
                capture = open
            }
        }
    }

    private static func nextMark(
        in buffer: UnsafeRawBufferPointer, from: Int
    ) -> (kind: Capture.Kind, position: Int)? {
        let header = ByteSearch.first(magic, rare: 13, in: buffer, from: from)
        let modules = ByteSearch.first(startMark, rare: 2, in: buffer, from: from)
        switch (header, modules) {
        case (let header?, let modules?): return header < modules ? (.header, header) : (.modules, modules)
        case (let header?, nil): return (.header, header)
        case (nil, let modules?): return (.modules, modules)
        case (nil, nil): return nil
        }
    }
}

extension ProgramScan.Capture.Kind {
    fileprivate var mark: [UInt8] {
        switch self {
        case .header: ProgramScan.magic
        case .modules: ProgramScan.startMark
        }
    }
}

/// Finds bytes in bytes.
enum ByteSearch {
    /// The first place of `needle` from `from` on.
    ///
    /// - Parameter rare: the place in `needle` of a byte that programs do not have often: it is looked for first.
    static func first(_ needle: [UInt8], rare: Int, in buffer: UnsafeRawBufferPointer, from: Int) -> Int? {
        guard let base = buffer.baseAddress, buffer.count >= needle.count else { return nil }
        return needle.withUnsafeBytes { needle in
            guard let text = needle.baseAddress else { return nil }
            let last = buffer.count - needle.count
            var place = from
            while place <= last {
                guard let found = memchr(base + place + rare, CInt(needle[rare]), last - place + 1) else { return nil }
                place = base.distance(to: found) - rare
                if memcmp(base + place, text, needle.count) == 0 { return place }
                place += 1
            }
            return nil
        }
    }
}
