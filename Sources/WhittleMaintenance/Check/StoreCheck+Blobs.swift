internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleStore

extension StoreCheck {
    private struct Reading {
        var size = Int64(0)
        var problems: [(name: String, finding: String)] = []
    }

    /// Reads every blob and compares it with its name.
    func checkBlobs(_ findings: inout Findings, _ cancellation: Cancellation) throws {
        let names = try RootDirectory(layout.blobs).names(in: "/").map(\.description)
        let state = Mutex(Reading())
        try BlockingPool.shared.forEach(below: names.count, threads: threads) { index in
            try cancellation.check()
            let name = names[index]
            let (size, finding) = try problem(ofBlob: name, cancellation)
            state.withLock { state in
                state.size += size
                if let finding { state.problems.append((name, finding)) }
            }
        }
        let reading = state.withLock { $0 }
        findings.report.blobCount = names.count
        findings.report.blobSize = ByteCount(reading.size)
        for (name, finding) in reading.problems.sorted(by: { $0.name < $1.name }) {
            let digest = try? Digest(parsing: "sha256:\(name)")
            // What has no digest for a name goes as a file.
            findings.note(
                "blob sha256:\(name)", finding,
                removing: digest.map { .blob($0) } ?? .leftover("blobs/sha256/\(name)"))
        }
    }

    /// - Returns: how many bytes were read, and what is wrong.
    private func problem(ofBlob name: String, _ cancellation: Cancellation) throws -> (Int64, String?) {
        // What cannot be parsed is a finding.
        guard let digest = try? Digest(parsing: "sha256:\(name)") else { return (0, "its name is no digest") }
        var size = Int64(0)
        var hasher = SHA256Hasher()
        do throws(Errno) {
            let status = try Syscall.status(layout.blobs + "/" + name)
            guard status.isRegular else { return (0, "it is no file") }
            let file = try Syscall.open(layout.blobs + "/" + name, [.readOnly, .noFollow])
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            defer { buffer.deallocate() }
            while !cancellation.isCancelled {
                let count = try file.withDescriptor { (file) throws(Errno) in try Syscall.read(file, into: buffer) }
                if count == 0 { break }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                size += Int64(count)
            }
        } catch {
            // Another process has removed it.
            if error == .noSuchFileOrDirectory { return (0, nil) }
            return (size, "it cannot be read: \(BuildError.sentence(error))")
        }
        try cancellation.check()
        let found = hasher.finalize()
        return (size, found == digest ? nil : "its \(size) bytes have the digest \(found)")
    }
}
