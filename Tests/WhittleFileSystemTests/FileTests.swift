import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("AtomicFile, FileReading, TreeRemoval, FileLock")
struct FileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("file") }

    @Test("replaces a file and leaves nothing else behind", arguments: [true, false])
    func replaces(isDurable: Bool) throws {
        try directory.write("f", "old")
        try AtomicFile.write("new", to: directory("f"), mode: 0o600, isDurable: isDurable)
        #expect(try directory.read("f") == "new")
        #expect(try Syscall.status(directory("f")).permissions == 0o600)
        #expect(try RootDirectory(directory.path).names(in: "/") == ["f"])
    }

    @Test("keeps the old file when the disk is full, and says what to do", .enabled(if: isRoot, "needs root"))
    func diskFull() throws {
        let full = try directory.makeDirectory("full")
        try Mount.temporary(at: full, size: 65536)
        defer { unmount(full) }
        try AtomicFile.write("old", to: "\(full)/f")
        let error = #expect(throws: BuildError.self) {
            try AtomicFile.write([UInt8](repeating: 7, count: 1 << 20), to: "\(full)/f")
        }
        #expect(error?.message == "cannot write file '\(full)/f': no space left on device")
        #expect(error?.hint == "free some disk space there, or choose another place for the store with --root")
        #expect(error?.description.contains("cause") == false)
        #expect(try RootDirectory(full).names(in: "/") == ["f"])
        #expect(try FileReading.bytes(ofFileAt: "\(full)/f") == Array("old".utf8))
    }

    @Test("reads files whose size is not known, and refuses those that are too long")
    func reads() throws {
        #expect(try FileReading.bytes(ofFileAt: "/proc/self/stat")?.isEmpty == false)
        #expect(try FileReading.bytes(ofFileAt: directory("none")) == nil)
        try directory.write("f", String(repeating: "x", count: 5000))
        #expect(try FileReading.bytes(ofFileAt: directory("f"))?.count == 5000)
        let error = #expect(throws: BuildError.self) { try FileReading.bytes(ofFileAt: directory("f"), limit: 4999) }
        #expect(error?.systemError == .fileTooLarge)
    }

    @Test("removes directories without permission bits, and links without what they point to")
    func removes() throws {
        try directory.write("outside/file", "kept")
        try directory.write("tree/a/b/file")
        try directory.makeDirectory("tree/locked/inner", mode: 0o755)
        try Syscall.changeMode(directory("tree/locked"), to: 0)
        try Syscall.changeMode(directory("tree/a"), to: 0o500)
        try directory.link("tree/link", to: "../outside")
        try TreeRemoval.remove(directory("tree"))
        try TreeRemoval.remove(directory("tree"))
        #expect(try directory.read("outside/file") == "kept")
        #expect(try RootDirectory(directory.path).names(in: "/") == ["outside"])
    }

    @Test("does not remove what is mounted in the tree", .enabled(if: isRoot, "needs root"))
    func mountedInside() throws {
        try directory.makeDirectory("tree/mounted")
        try Mount.temporary(at: directory("tree/mounted"))
        defer { unmount(directory("tree/mounted")) }
        try directory.write("tree/mounted/file", "kept")
        let error = #expect(throws: BuildError.self) { try TreeRemoval.remove(directory("tree")) }
        #expect(error?.systemError == .resourceBusy)
        #expect(try directory.read("tree/mounted/file") == "kept")
    }

    private func unmount(_ path: String) {
        do { try Mount.unmount(path) } catch { Issue.record(error) }
    }

    @Test("shows control characters of a path as escapes")
    func hostileName() {
        let error = BuildError.fileSystem("open", "a\u{1b}[31m\nb", .noSuchFileOrDirectory)
        #expect(error.message == "cannot open 'a\\u{1b}[31m\\u{a}b': no such file or directory")
    }

    @Test("excludes a second lock until the first is released")
    func locks() async throws {
        let path = directory("lock")
        let first = try #require(try FileLock.tryAcquire(path))
        #expect(try FileLock.tryAcquire(path) == nil)
        #expect(try FileLock.tryAcquire(path, exclusive: false) == nil)
        let waiting = Task { try await FileLock.acquire(path) }
        first.release()
        let second = try await waiting.value
        #expect(try FileLock.tryAcquire(path) == nil)
        withExtendedLifetime(second) {}
    }

    @Test("shares a lock among those who ask for it shared")
    func shares() throws {
        let one = try FileLock.tryAcquire(directory("lock"), exclusive: false)
        let two = try FileLock.tryAcquire(directory("lock"), exclusive: false)
        #expect(one != nil && two != nil)
        #expect(try FileLock.tryAcquire(directory("lock")) == nil)
        withExtendedLifetime((one, two)) {}
    }

    @Test("stops waiting for a lock when cancelled", .timeLimit(.minutes(1)))
    func cancelsLock() async throws {
        let path = directory("lock")
        let held = try FileLock.tryAcquire(path)
        let waiting = Task { try await FileLock.acquire(path) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        withExtendedLifetime(held) {}
    }
}
