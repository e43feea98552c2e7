internal import Glibc
internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleGitRemote
internal import WhittleGraph
internal import WhittleSnapshot
internal import WhittleStore

/// Brings in a context that is an archive or a lone Dockerfile, and completes the request with what is in it.
struct ContextLoader: Sendable {
    let store: BuildStore
    let fetching: Fetching
    /// What the archive may unpack to; `nil` for anything.
    let limit: ByteCount?
    let report: @Sendable (StepEvent) -> Void

    /// More than this is no Dockerfile.
    private static let dockerfileLimit = 64 << 20

    /// The directory of the context is below the scratch directory of the process, and goes with it.
    ///
    /// - Throws: `context-unusable`, `dockerfile-not-found`, `bad-ignore-pattern`, those of ``Downloads``;
    ///   `CancellationError`.
    func load(_ context: RemoteContext, into request: inout BuildRequest) async throws {
        let step = Step(internal: "[internal] load build context from \(context.name)")
        report(.started(step))
        do {
            switch context.source {
            case .standardInput:
                try await load(from: .standardInput, context, into: &request)
            case .http(let source):
                let download = try await fetching.downloads.file(source, for: step)
                let file = try store.blobs.open(download.digest)
                // Kept open while it is read.
                let descriptor = file.release()
                defer {
                    // Open for reading: there is nothing to report.
                    try? Syscall.close(descriptor)
                }
                request.options.contextTime = download.modified
                try await load(from: descriptor, context, into: &request)
            case .git(let source):
                let revision = try await fetching.repositories.resolve(source)
                report(.progress(step, .commit(revision)))
                let tree = try await GitFiles.write(
                    GitCheckout(source, revision, in: fetching.repositories), in: store)
                request.contextDirectory = tree.directory
                request.options.contextTime = tree.time
                try complete(&request, from: context, in: tree.directory, isArchive: false)
            }
            report(.finished(step))
        } catch {
            report(
                error is CancellationError ? .cancelled(step) : .failed(step, message: BuildError.message(of: error)))
            throw error
        }
    }

    private func load(
        from input: FileDescriptor, _ context: RemoteContext, into request: inout BuildRequest
    ) async throws {
        let directory = try store.scratch.makeDirectory("context", mode: 0o755)
        let name = context.name
        let text = try await BlockingPool.shared.runCancellable { [limit] cancellation in
            let input = InterruptibleInput(input, name: name, cancellation)
            let head = try input.head()
            guard !head.isEmpty else { throw BuildError.contextUnusable("\(name) is empty") }
            guard ContextFormat.isArchive(head) else {
                return try input.rest(after: head, limit: Self.dockerfileLimit) as [UInt8]?
            }
            do {
                try ArchiveUnpacker.unpack(into: RootDirectory(directory), .init(skipsDevices: true), limit: limit) {
                    feed in
                    try head.withUnsafeBytes { try feed($0) }
                    try input.forEachChunk(feed)
                }
            } catch let error as BuildError {
                throw BuildError.contextUnusable("unpacking the build context from \(name)", cause: error)
            }
            return nil
        }
        request.contextDirectory = directory
        if let text {
            guard context.dockerfile == .inside(nil) else { throw BuildError.twoDockerfiles(name) }
            request.dockerfile = text
            request.dockerfileName = "Dockerfile"
            return
        }
        if request.options.contextTime == nil {
            request.options.contextTime = try await BlockingPool.shared.runCancellable { cancellation in
                try Self.newestFile(in: directory, cancellation)
            }
        }
        try complete(&request, from: context, in: directory, isArchive: true)
    }

    /// What BuildKit takes for the time of an archive whose server says none.
    private static func newestFile(in directory: String, _ cancellation: Cancellation) throws -> Timestamp? {
        let tree = SourceTree(try RootDirectory(directory), kind: .image)
        let all = CopyRequest(sources: ["/"], destination: "/")
        return try CopyPlan(all, from: tree, cancellation: cancellation).latestModificationOfFiles
            .map { Timestamp(seconds: $0.seconds) }
    }

    /// Reads the Dockerfile and the ignore rules that are in the context.
    private func complete(
        _ request: inout BuildRequest, from context: RemoteContext, in directory: String, isArchive: Bool
    ) throws {
        let name = (isArchive ? "the archive from " : "") + context.name
        let root = try RootDirectory(directory, rule: .contained, name: "the build context")
        var path: String?
        if case .inside(let wanted) = context.dockerfile {
            (request.dockerfile, path) = try dockerfile(in: root, wanted, name)
            request.dockerfileName = path ?? "Dockerfile"
        }
        guard request.options.ignore.file == nil else { return }
        for candidate in [path.map { $0 + ".dockerignore" }, ".dockerignore"].compactMap({ $0 }) {
            guard let bytes = try root.bytes(ofFileAt: candidate) else { continue }
            request.options.ignore = IgnoreRules(
                patterns: try IgnorePatterns.texts(parsing: bytes, file: candidate), file: candidate)
            break
        }
    }

    private func dockerfile(
        in root: RootDirectory, _ wanted: String?, _ name: String
    ) throws -> (bytes: [UInt8], path: String?) {
        for path in wanted.map({ [$0] }) ?? ["Dockerfile", "dockerfile"] {
            if let bytes = try root.bytes(ofFileAt: path, limit: Self.dockerfileLimit) { return (bytes, path) }
        }
        let path = wanted ?? "Dockerfile"
        let names = try root.names(in: "/").map(\.description)
        throw BuildError.dockerfileNotFound(path, inside: name, names: names)
    }
}

/// Tells archives from Dockerfiles.
package enum ContextFormat {
    /// Whether `head`, the first 512 bytes or all there are, begins a tar archive or a compressed file.
    package static func isArchive(_ head: [UInt8]) -> Bool {
        let magics: [[UInt8]] = [
            [0x1F, 0x8B], [0x42, 0x5A, 0x68], [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], [0x28, 0xB5, 0x2F, 0xFD],
        ]
        // An archive without entries is zeros; no Dockerfile is.
        return magics.contains { head.starts(with: $0) } || TarHeaderProbe.isHeader(head)
            || head.count == 512 && head.allSatisfy { $0 == 0 }
    }
}

/// Reads a descriptor on which nothing may come for a long time, and stops when nobody waits any more.
struct InterruptibleInput {
    private let descriptor: FileDescriptor
    private let name: String
    private let cancellation: Cancellation

    /// - Parameter name: for errors.
    init(_ descriptor: FileDescriptor, name: String, _ cancellation: Cancellation) {
        self.descriptor = descriptor
        self.name = name
        self.cancellation = cancellation
    }

    /// The first 512 bytes; fewer where there are no more.
    func head() throws -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 512)
        var count = 0
        while count < head.count {
            let read = try head.withUnsafeMutableBytes {
                try next(UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
            }
            if read == 0 { break }
            count += read
        }
        return Array(head[..<count])
    }

    /// Hands the rest to `body`.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try next(buffer)
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// `head` and the rest.
    ///
    /// - Throws: `context-unusable` for more than `limit` bytes.
    func rest(after head: [UInt8], limit: Int) throws -> [UInt8] {
        var bytes = head
        try forEachChunk { chunk in
            bytes.append(contentsOf: chunk)
            guard bytes.count <= limit else {
                throw BuildError.contextUnusable("\(name) is no archive, and too large for a Dockerfile")
            }
        }
        return bytes
    }

    private func next(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var wait = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        while true {
            try cancellation.check()
            // A tenth of a second is short enough for whoever pressed Ctrl-C.
            let ready = poll(&wait, 1, 100)
            if ready > 0 { break }
            guard ready == 0 || errno == EINTR else {
                throw BuildError.fileSystem("read", name, Errno(rawValue: errno))
            }
        }
        do throws(Errno) { return try Syscall.read(descriptor, into: buffer) } catch {
            throw BuildError.fileSystem("read", name, error)
        }
    }
}
