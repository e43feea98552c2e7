import Foundation
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleGit

/// Repositories that git itself makes.
@Suite("GitCommitTime")
struct GitCommitTimeTests {
    private let directory: TemporaryDirectory
    private var work: String { directory("work") }

    init() throws {
        directory = try TemporaryDirectory("git")
        try git(["init", "-q", "-b", "main", "work"], in: directory.path)
    }

    private func git(_ arguments: [String], in place: String, time: Int = 0) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["git", "-c", "user.name=A > B", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: place)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
        environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
        environment["GIT_AUTHOR_DATE"] = "@999 +0000"
        environment["GIT_COMMITTER_DATE"] = "@\(time) +0530"
        process.environment = environment
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "git \(arguments)")
    }

    private func commit(_ time: Int, _ message: String = "m") throws {
        try git(["commit", "-q", "--allow-empty", "-m", message], in: work, time: time)
    }

    private func seconds(_ place: String) throws -> Int64? { try GitCommitTime.ofHead(above: place)?.seconds }

    @Test("is that of the committer, from any directory of the work tree, whatever was changed since")
    func loose() throws {
        #expect(try seconds(work) == nil, "no commit was made yet")
        try commit(1_700_000_000)
        try commit(1_600_000_000, "second\n\ncommitter A <b> 1 +0000")
        try directory.makeDirectory("work/a/b")
        try directory.write("work/dirty", "x")
        #expect(try seconds(work) == 1_600_000_000)
        #expect(try seconds(work + "/a/b/") == 1_600_000_000)
        try directory.link("elsewhere", to: work + "/a")
        #expect(try seconds(directory("elsewhere")) == 1_600_000_000)
    }

    @Test("is found where HEAD is a commit, a packed reference, or a symbolic one")
    func references() throws {
        try commit(5)
        try commit(6)
        try git(["tag", "-a", "-m", "t", "v1"], in: work)
        try git(["pack-refs", "--all"], in: work)
        #expect(try seconds(work) == 6)
        try git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"], in: work)
        try git(["symbolic-ref", "HEAD", "refs/heads/alias"], in: work)
        #expect(try seconds(work) == 6)
        try git(["checkout", "-q", "--detach", "main~1"], in: work)
        #expect(try seconds(work) == 5)
    }

    @Test("is read out of packs, where most commits are differences to others", arguments: [1, 2])
    func packs(indexVersion: Int) throws {
        // Long messages that are nearly the same make deltas of commits.
        let text = (0..<60).map { "line \($0) of a long message\n" }.joined()
        for number in 1...30 { try commit(1_000_000 + number, "\(text)\(number)") }
        try git(["config", "pack.indexVersion", "\(indexVersion)"], in: work)
        try git(["repack", "-q", "-a", "-d", "-f", "--depth=20", "--window=40"], in: work)
        try git(["prune-packed"], in: work)
        for number in [1, 7, 15, 29, 30] {
            try git(["checkout", "-q", "--detach", "main~\(30 - number)"], in: work)
            #expect(try seconds(work) == Int64(1_000_000 + number))
        }
    }

    @Test("is that of a work tree, a submodule and a clone that borrows objects")
    func otherPlaces() throws {
        try commit(5)
        try commit(6)
        try git(["worktree", "add", "-q", "--detach", directory("tree"), "main~1"], in: work)
        #expect(try seconds(directory("tree")) == 5)
        try git(["clone", "-q", "--shared", work, directory("shared")], in: work)
        #expect(try seconds(directory("shared")) == 6)
        try git(["clone", "-q", "--depth", "1", "file://\(work)", directory("shallow")], in: work)
        #expect(try seconds(directory("shallow")) == 6)
        try git(["init", "-q", "outer"], in: directory.path)
        try git(
            ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", work, "inner"], in: directory("outer"))
        #expect(try seconds(directory("outer/inner")) == 6)
        #expect(try seconds(directory("outer")) == nil)
    }

    @Test("is nothing outside of a repository, and where .git is none")
    func noRepository() throws {
        try directory.makeDirectory("plain/.git")
        #expect(try seconds(directory("plain")) == nil)
        #expect(try seconds(directory("missing")) == nil)
    }

    @Test("of a repository with SHA-256 names is read too")
    func sha256() throws {
        try git(["init", "-q", "-b", "main", "--object-format=sha256", "new"], in: directory.path)
        try git(["commit", "-q", "--allow-empty", "-m", "m"], in: directory("new"), time: 77)
        #expect(try seconds(directory("new")) == 77)
        try git(["repack", "-q", "-a", "-d"], in: directory("new"))
        try git(["prune-packed"], in: directory("new"))
        #expect(try seconds(directory("new")) == 77)
    }

    @Test("damage is an error that says what to do instead")
    func damage() throws {
        try commit(5)
        let repository = try #require(try GitRepository(above: work))
        let head = try #require(try GitReferences(repository).head())
        let name = "work/.git/objects/\(head.description.prefix(2))/\(head.description.dropFirst(2))"
        try FileManager.default.removeItem(atPath: directory(name))
        func message() -> String? {
            do throws(BuildError) {
                _ = try GitCommitTime.ofHead(above: work)
                return nil
            } catch {
                return "\(error.code.rawValue): \(error.message) | \(error.hint ?? "")"
            }
        }
        let start = "git-commit: reading the commit of the git repository '\(work)/.git': "
        let hint = " | set SOURCE_DATE_EPOCH instead, for example to $(git log -1 --format=%ct)"
        #expect(message() == "\(start)the object \(head) is not there\(hint)")
        try directory.write(name, "no zlib data")
        #expect(
            message() == "\(start)the object \(head): decompressing zlib data: it is damaged or cut short\(hint)")
        try directory.write("work/.git/refs/heads/main", "nonsense\n")
        #expect(message() == "\(start)the reference 'refs/heads/main' is damaged\(hint)")
        try directory.write("work/.git/HEAD", "ref: refs/../../x\n")
        #expect(message() == "\(start)'refs/../../x' is no reference\(hint)")
        try directory.write("work/.git/HEAD", "ref: refs/heads/a\n")
        try directory.write("work/.git/refs/heads/a", "ref: refs/heads/a\n")
        #expect(message() == "\(start)its references lead to each other\(hint)")
        try directory.makeDirectory("work/.git/reftable")
        #expect(message() == "\(start)its references are in a table, which whittle does not read\(hint)")
    }

    static let commits: [(String, Int64?)] = [
        ("tree 0\ncommitter A <a@b> 12 +0000\n\nm", 12), ("committer A <a <b>> 5 -0100\n\nm", 5),
        ("author A <a> 1 +0\ncommitter A <> -7 +0\n\n", -7), ("author A <a> 1 +0\n\ncommitter A <> 3 +0\n", nil),
        ("committer A <a> x\n\n", nil), ("committer A\n\n", nil), ("", nil),
    ]

    @Test("is the number behind the address", arguments: commits)
    func committer(_ text: String, _ time: Int64?) {
        #expect(GitCommitTime.committerTime(in: Array(text.utf8)) == time)
    }
}

@Suite("GitDelta")
struct GitDeltaTests {
    static let base = Array("0123456789abcdef".utf8)
    static let damaged: [[UInt8]] = [
        [], [16], [15, 4, 1], [16, 4], [16, 4, 0], [16, 4, 3, 1, 2], [16, 4, 0x91, 14, 4], [16, 4, 0x91, 0, 5],
        [16, 3, 0x91, 0, 2], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [16, 4, 0x80],
    ]

    @Test("copies and inserts")
    func applies() throws {
        let delta: [UInt8] = [16, 7, 0x91, 10, 3, 2, 0x58, 0x59, 0x90, 2]
        #expect(try GitDelta.apply(delta, to: Self.base) == Array("abcXY01".utf8))
    }

    @Test("damage is an error", arguments: damaged)
    func refuses(_ delta: [UInt8]) {
        #expect(throws: GitDamage.self) { try GitDelta.apply(delta, to: Self.base) }
    }
}
