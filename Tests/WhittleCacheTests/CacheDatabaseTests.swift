import Foundation
import Testing
import WhittleCache
import WhittleCore

@Suite("CacheDatabase")
struct CacheDatabaseTests {
    private static func withDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "whittle-cache-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer {
            // A leftover directory in the system's temporary folder is no failure of the test.
            try? FileManager.default.removeItem(at: directory)
        }
        return try body(directory.path)
    }

    private static func record(_ name: String, snapshot: String? = "s") -> CacheRecord {
        CacheRecord(
            key: Digest(hashing: name), identity: Digest(hashing: "identity of " + name), snapshot: snapshot,
            op: Digest(hashing: "op"), inputs: [Digest(hashing: "a"), Digest(hashing: "b")], name: name,
            created: Timestamp(seconds: 1_700_000_000), latestInput: Timestamp(seconds: 5), duration: 12)
    }

    @Test("what a URL gave is remembered, the latest answer only, and nothing before the first download")
    func downloads() throws {
        try Self.withDirectory { directory in
            let database = try CacheDatabase(path: directory + "/whittle.db")
            let key = Digest(hashing: "url")
            #expect(try database.download(key) == nil)
            for tag in ["\"1\"", nil] {
                let record = DownloadRecord(
                    content: Digest(hashing: tag ?? ""), entityTag: tag, lastModified: tag == nil ? "then" : nil)
                try database.save(record, forDownload: key)
                #expect(try CacheDatabase(path: directory + "/whittle.db").download(key) == record)
            }
            #expect(try database.download(Digest(hashing: "other")) == nil)
        }
    }

    @Test("what was saved is found after the database is opened again")
    func persists() throws {
        try Self.withDirectory { directory in
            let path = directory + "/whittle.db"
            let layer = LayerRecord(
                digest: Digest(hashing: "l"), diffID: Digest(hashing: "d"), size: 5_000_000_000,
                uncompressedSize: 9_000_000_000, mediaType: "m")
            do {
                let database = try CacheDatabase(path: path)
                try database.save(Self.record("one"))
                try database.save(Self.record("empty", snapshot: nil))
                try database.saveContentDigest(
                    Digest(hashing: "c"), identity: Digest(hashing: "i"), selection: Digest(hashing: "s"))
                try database.save(layer, of: "snapshot", format: "gzip")
            }
            let database = try CacheDatabase(path: path)
            #expect(try database.record(for: Digest(hashing: "one")) == Self.record("one"))
            #expect(try database.record(for: Digest(hashing: "empty"))?.snapshot == nil)
            #expect(try database.record(for: Digest(hashing: "two")) == nil)
            let digest = try database.contentDigest(identity: Digest(hashing: "i"), selection: Digest(hashing: "s"))
            #expect(digest == Digest(hashing: "c"))
            #expect(try database.contentDigest(identity: Digest(hashing: "i"), selection: Digest(hashing: "t")) == nil)
            #expect(try database.layer(of: "snapshot", format: "gzip") == layer)
            #expect(try database.layer(of: "snapshot", format: "zstd") == nil)
        }
    }

    @Test("a record is replaced by a later one of its key, and can be forgotten")
    func replaces() throws {
        try Self.withDirectory { directory in
            let database = try CacheDatabase(path: directory + "/whittle.db")
            try database.save(Self.record("one"))
            try database.save(Self.record("one", snapshot: "later"))
            #expect(try database.record(for: Digest(hashing: "one"))?.snapshot == "later")
            try database.removeRecord(for: Digest(hashing: "one"))
            #expect(try database.record(for: Digest(hashing: "one")) == nil)
        }
    }

    @Test("a file that is no database is put aside")
    func corrupt() throws {
        try Self.withDirectory { directory in
            let path = directory + "/whittle.db"
            try Data(repeating: 0x5a, count: 8192).write(to: URL(fileURLWithPath: path))
            let database = try CacheDatabase(path: path)
            try database.save(Self.record("one"))
            #expect(FileManager.default.fileExists(atPath: path + ".corrupt"))
        }
    }

    @Test("a directory that does not exist is an error that names the file")
    func unreachable() throws {
        do {
            _ = try CacheDatabase(path: "/nonexistent/whittle.db")
            Issue.record("opened")
        } catch let error as BuildError {
            #expect(error.code.rawValue == "cache-database")
            #expect(error.message.contains("/nonexistent/whittle.db"))
        }
    }

    @Test("connections side by side lose nothing")
    func concurrent() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "whittle-cache-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer {
            // As above.
            try? FileManager.default.removeItem(at: directory)
        }
        let path = directory.path + "/whittle.db"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    let database = try CacheDatabase(path: path)
                    for index in 0..<50 { try database.save(Self.record("\(worker)-\(index)")) }
                }
            }
            try await group.waitForAll()
        }
        let database = try CacheDatabase(path: path)
        for worker in 0..<4 {
            for index in 0..<50 { #expect(try database.record(for: Digest(hashing: "\(worker)-\(index)")) != nil) }
        }
    }

    @Test("a step is found again by its instruction, else by its place")
    func lastRun() throws {
        try Self.withDirectory { directory in
            let database = try CacheDatabase(path: directory + "/whittle.db")
            func save(_ step: StepRecord) throws {
                var record = Self.record("r")
                record.key = step.key
                try database.save(record, explainedBy: step, manifests: [:])
            }
            func find(_ step: StepRecord, others: Set<String> = []) throws -> (String?, Bool) {
                let found = try database.lastRun(of: step, others: others)
                return (found.run.map { "\($0.position) \($0.instruction)" }, found.isStageKnown)
            }
            let copy = StepComparisonTests.record("COPY . .", position: 2)
            #expect(try find(copy) == (nil, false))
            try save(copy)
            try save(StepComparisonTests.record("RUN make", position: 3, fields: [.init("ARG A", "1")]))
            try save(StepComparisonTests.record("RUN make", position: 5))
            #expect(try find(copy) == ("2 COPY . .", true))
            #expect(try find(StepComparisonTests.record("RUN make", position: 4)) == ("5 RUN make", true))
            #expect(try find(StepComparisonTests.record("RUN make all", position: 3)) == ("3 RUN make", true))
            // An instruction that only moved is not taken for the one that came in its place.
            #expect(
                try find(StepComparisonTests.record("RUN new", position: 2), others: ["COPY . ."]) == (nil, true))
            var other = copy
            other.scope = Digest(hashing: "another project")
            #expect(try find(other) == (nil, false))
            let read = try #require(try database.lastRun(of: StepComparisonTests.record(position: 3), others: []).run)
            #expect(read == StepComparisonTests.record("RUN make", position: 3, fields: [.init("ARG A", "1")]))
        }
    }

    @Test("of each step the last few runs are remembered, and of the files what fits")
    func stepsAreBounded() throws {
        try Self.withDirectory { directory in
            let database = try CacheDatabase(path: directory + "/whittle.db")
            // 11.6 MB each: of three, two fit.
            let names = ["a", "b", "c"]
            for (number, name) in names.enumerated() {
                let files = (0..<1_000).map { index in
                    FileManifest.Entry(
                        path: Array(String(repeating: "\(index)", count: 4_000).utf8), mode: 0,
                        fingerprint: UInt64(number))
                }
                let step = StepComparisonTests.record(fields: [.init("ARG A", name)])
                try database.save(
                    Self.record(name), explainedBy: step, manifests: [Digest(hashing: name): FileManifest(files)])
            }
            #expect(try names.map { try database.hasManifest(of: Digest(hashing: $0)) } == [false, true, true])
            #expect(try database.manifest(of: Digest(hashing: "c"))?.entries.count == 1_000)
            for number in 0..<10 {
                let step = StepComparisonTests.record(fields: [.init("ARG A", "\(number)")])
                try database.save(Self.record("\(number)"), explainedBy: step, manifests: [:])
            }
            let last = try database.lastRun(of: StepComparisonTests.record(), others: []).run
            #expect(last?.fields == [.init("ARG A", "9")])
        }
    }
}
