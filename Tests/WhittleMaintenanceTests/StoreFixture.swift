import Foundation
import WhittleCache
import WhittleCore
import WhittleFileSystem
import WhittleOCI
import WhittleSnapshot
import WhittleStore
import WhittleTestKit

@testable import WhittleMaintenance

/// A store as builds leave it: two steps over a base layer, a cache mount, and an image.
final class StoreFixture {
    let directory: TemporaryDirectory
    let layout: StoreLayout
    let database: CacheDatabase
    var root: String { layout.root }

    init() throws {
        directory = try TemporaryDirectory("maintenance")
        layout = try StoreLayout(openingAt: directory("store"))
        database = try CacheDatabase(path: layout.database)
    }

    /// Another process that has the store open; it lives as long as the object.
    final class Process {
        let scratch: ProcessScratch
        let snapshots: OverlaySnapshotter
        let blobs: BlobStore

        init(_ layout: StoreLayout) throws {
            scratch = try ProcessScratch(in: layout)
            snapshots = try OverlaySnapshotter(layout, scratch: scratch)
            blobs = BlobStore(layout, leases: scratch.leases)
        }
    }

    /// Runs `body` as a process of its own, which has ended by the end of the call.
    func asProcess<Value>(_ body: (Process) throws -> Value) throws -> Value {
        let process = try Process(layout)
        let value = try body(process)
        try process.scratch.remove()
        return value
    }

    /// Commits a snapshot with one file, and a record that leads to it unless it is a layer of an image.
    @discardableResult
    func addSnapshot(_ name: String, over parent: String? = nil, size: Int = 10_000) throws -> SnapshotID {
        try asProcess { process in
            let id = try Self.id(name)
            let active = try process.snapshots.prepare(parent: parent.map { try Self.id($0) })
            try Data(repeating: 7, count: size).write(to: URL(fileURLWithPath: active.upper + "/" + name))
            try process.snapshots.commit(active, as: id)
            guard !name.hasPrefix("chain-") else { return id }
            try database.save(
                CacheRecord(
                    key: Digest(hashing: name), identity: Digest(hashing: "i" + name), snapshot: name,
                    op: Digest(hashing: "op"), inputs: [], name: "RUN \(name)", created: Timestamp(seconds: 1),
                    latestInput: Timestamp(seconds: 1), duration: 1))
            return id
        }
    }

    /// Stores a blob.
    @discardableResult
    func addBlob(_ text: String) throws -> Digest {
        try asProcess { try $0.blobs.store(Array(text.utf8), in: $0.scratch) }
    }

    /// Names an image of one layer that has this text.
    func addImage(_ name: String, layer text: String) async throws -> Descriptor {
        let layer = try addBlob(text)
        let config = try addBlob(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#)
        let manifest = Manifest(
            config: Descriptor(mediaType: .ociConfiguration, digest: config, size: 1),
            layers: [Descriptor(mediaType: .ociLayer, digest: layer, size: Int64(text.utf8.count))])
        let bytes = manifest.encoded()
        try addBlob(String(decoding: bytes, as: UTF8.self))
        let descriptor = Descriptor(of: bytes, as: .ociManifest)
        try await ImageNames(layout).set([ImageReference(parsing: name)], to: descriptor)
        return descriptor
    }

    /// Writes the layer of a snapshot, as a build that exports it does.
    func writeLayer(of name: String) throws {
        let id = try Self.id(name)
        let layer = try asProcess { process in
            let blob = try process.blobs.ingest(in: process.scratch)
            _ = try LayerWriter(changesIn: process.snapshots.changes(of: id)).write(cancellation: Cancellation()) {
                try blob.write($0)
            }
            let size = blob.size
            let digest = try blob.commit()
            return LayerRecord(
                digest: digest, diffID: digest, size: size, uncompressedSize: size,
                mediaType: MediaType.ociLayer.rawValue)
        }
        try database.save(layer, of: name, format: LayerFormat.own(nil))
    }

    /// Sets when a snapshot was last used.
    func setUse(of name: String, to seconds: Int) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: TimeInterval(seconds))],
            ofItemAtPath: layout.snapshots + "/\(name)/meta.json")
    }

    /// The snapshots that are there.
    var snapshots: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: layout.snapshots).sorted() }
    }

    static func id(_ name: String) throws -> SnapshotID {
        guard let id = SnapshotID(rawValue: name) else { throw CocoaError(.coderInvalidValue) }
        return id
    }

    /// What du(1) says of the store.
    func measured() throws -> Int64 {
        let process = Foundation.Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/du")
        process.arguments = ["-s", "-B1", root]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Int64(String(decoding: output, as: UTF8.self).prefix { $0.isNumber }) ?? -1
    }
}
