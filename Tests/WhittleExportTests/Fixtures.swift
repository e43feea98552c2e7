import Foundation
import WhittleArchive
import WhittleCore
import WhittleExport
import WhittleOCI
import WhittleStore

/// Calls `body` with a new empty directory and removes it afterwards; `SAVE_TEMPS=1` keeps it.
func withTemporaryDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
    let directory = makeTemporaryDirectory()
    defer { removeTemporaryDirectory(directory) }
    return try body(directory)
}

/// The same for a body that waits.
func withTemporaryDirectoryAsync<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let directory = makeTemporaryDirectory()
    defer { removeTemporaryDirectory(directory) }
    return try await body(directory)
}

private func makeTemporaryDirectory() -> String {
    let path = FileManager.default.temporaryDirectory.path + "/whittle-export-\(UUID().uuidString)"
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        fatalError("cannot make \(path): \(error)")
    }
    return path
}

private func removeTemporaryDirectory(_ path: String) {
    guard ProcessInfo.processInfo.environment["SAVE_TEMPS"] == nil else {
        print("kept \(path)")
        return
    }
    // A directory left over in /tmp spoils no other test.
    try? FileManager.default.removeItem(atPath: path)
}

func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
}

func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

/// A store with one blob per layer, and an image of them.
struct StoreFixture {
    let layout: StoreLayout
    let blobs: BlobStore
    let names: ImageNames
    let scratch: ProcessScratch

    init(in directory: String) throws {
        layout = try StoreLayout(openingAt: "\(directory)/store")
        blobs = BlobStore(layout)
        names = ImageNames(layout)
        scratch = try ProcessScratch(in: layout)
    }

    /// A layer with these files; a name that ends in `/` is a directory.
    func layer(_ files: [(String, String)], _ type: MediaType.Compression = .gzip) throws -> ExportImage.Layer {
        var plain: [UInt8] = []
        var tar = TarWriter { plain += $0 }
        for (path, text) in files {
            if path.hasSuffix("/") {
                try tar.begin(TarEntry(path: Array(path.utf8), kind: .directory, permissions: 0o755))
            } else {
                let bytes = Array(text.utf8)
                try tar.begin(TarEntry(path: Array(path.utf8), kind: .regular, size: Int64(bytes.count)))
                try tar.write(bytes)
            }
        }
        try tar.finish()
        let compression: Compression =
            switch type {
            case .uncompressed: .none
            case .gzip: .defaultGzip
            case .zstd: .defaultZstd
            }
        let writer = try blobs.ingest(in: scratch)
        let compressor = try ParallelCompressor(compression, threads: 1) { try writer.write($0) }
        try plain.withUnsafeBytes { try compressor.write($0) }
        try compressor.finish()
        let digest = try writer.commit()
        return ExportImage.Layer(
            descriptor: Descriptor(mediaType: .layer(type), digest: digest, size: writer.size.bytes),
            diffID: Digest(hashing: plain), uncompressedSize: ByteCount(plain.count))
    }

    /// An image with two layers and a step that made none.
    func image(
        _ type: MediaType.Compression = .gzip, text: String = "hello",
        created: Timestamp = Timestamp(seconds: 1_700_000_000)
    ) throws -> ExportImage {
        var configuration = ImageConfiguration(platform: .host)
        configuration.created = created
        configuration.config.command = ["/hello"]
        configuration.history = [
            HistoryEntry(created: created, createdBy: "COPY hello / # buildkit", comment: "buildkit.dockerfile.v0"),
            HistoryEntry(created: created, createdBy: "CMD [\"/hello\"]", isEmptyLayer: true),
            HistoryEntry(created: created, createdBy: "RUN /bin/sh -c echo world # buildkit"),
        ]
        let layers = [
            try layer([("hello", text)], type), try layer([("etc/", ""), ("etc/world", "world")], type),
        ]
        configuration.diffIDs = layers.map { $0.diffID }
        return ExportImage(configuration: configuration, layers: layers)
    }

    func exporter(_ image: ExportImage, rootFileSystem: String = "/nonexistent") -> Exporter {
        Exporter(
            blobs: blobs, names: names, scratch: scratch, images: { _ in [image] },
            rootFileSystems: { [ExportTree(platform: .host, directory: rootFileSystem)] })
    }
}

/// What a program of the system said and how it ended.
struct ToolRun {
    let status: Int32
    let output: String

    /// The path of a program, or `nil` (with a line that says so) where this machine does not have it.
    static func find(_ name: String) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        if path == nil { print("skipped: this machine has no '\(name)'") }
        return path
    }

    init(_ tool: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }
}
