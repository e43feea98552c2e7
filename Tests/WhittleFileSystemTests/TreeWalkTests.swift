import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("TreeWalk")
struct TreeWalkTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("walk") }

    private func paths(_ filter: TreeFilter? = nil) throws -> [String] {
        var paths: [String] = []
        try TreeWalk(directory.path, filter: filter).forEach(cancellation: nil) {
            paths.append($0.path.description + ($0.isParentOnly ? " (parent)" : ""))
        }
        return paths
    }

    @Test("lists in byte order, a directory right before its contents")
    func order() throws {
        for name in ["a/z", "a.b", "a-b", "B", "é", "a/b/c", "longername1", "longername0", "longerna"] {
            try directory.write(name)
        }
        try directory.link("link", to: "a")
        #expect(
            try paths()
                == [
                    "B", "a", "a/b", "a/b/c", "a/z", "a-b", "a.b", "link", "longerna", "longername0", "longername1",
                    "é",
                ].sorted { EntryPath($0) < EntryPath($1) })
        #expect(try paths().prefix(3) == ["B", "a", "a/b"])
    }

    @Test("hands over status, contents, targets and attributes")
    func entries() throws {
        try directory.write("file", "12345", mode: 0o640)
        try directory.link("link", to: "file")
        try Syscall.open(directory("file"), .readOnly).withDescriptor { descriptor in
            try ExtendedAttributes.set(ExtendedAttribute(name: "user.a", value: [1, 2]), on: descriptor)
        }
        var seen: [String] = []
        try TreeWalk(directory.path).forEach(cancellation: nil) { entry in
            if entry.status.isLink {
                seen.append("-> \(try entry.linkTarget())")
                let attributes = try entry.extendedAttributes()
                #expect(attributes.isEmpty)
            } else {
                let opened = try entry.open()
                let bytes = try opened.withDescriptor { try FileReading.bytes(of: $0, limit: 100) }
                seen.append("\(String(decoding: bytes, as: UTF8.self)) \(String(entry.status.permissions, radix: 8))")
                #expect(try entry.extendedAttributes() == [ExtendedAttribute(name: "user.a", value: [1, 2])])
            }
        }
        #expect(seen == ["12345 640", "-> file"])
    }

    @Test("leaves out what the filter leaves out, and brings the parents of what it takes")
    func filter() throws {
        for name in ["a/b/keep", "a/b/drop", "c/d/drop", "node/x/keep", "keep"] { try directory.write(name) }
        let filter = TreeFilter { path, isDirectory, state in
            if path == "node" { return .prune }
            if isDirectory { return TreeFilter.Verdict(isTaken: false, isSearched: true, state: path) }
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            #expect((state as? String ?? "") == parent)
            return path.hasSuffix("keep") ? .take : .prune
        }
        #expect(try paths(filter) == ["a (parent)", "a/b (parent)", "a/b/keep", "keep"])
    }

    @Test("goes as deep as the tree is, past PATH_MAX and the limit of open files", .timeLimit(.minutes(1)))
    func deep() throws {
        let depth = 3000
        var current = try Syscall.open(directory.path, [.readOnly, .directory])
        for _ in 0..<depth {
            current = try current.withDescriptor { (descriptor) throws(Errno) -> OwnedDescriptor in
                try Syscall.makeDirectory("d", mode: 0o755, at: descriptor)
                _ = try Syscall.open("z", [.writeOnly, .create], mode: 0o644, at: descriptor)
                return try Syscall.open("d", [.readOnly, .directory], at: descriptor)
            }
        }
        var count = 0
        var longest = 0
        try TreeWalk(directory.path).forEach(cancellation: nil) { entry in
            count += 1
            longest = max(longest, entry.path.count)
            if !entry.status.isDirectory { _ = try entry.open() }
        }
        #expect(count == 2 * depth)
        #expect(longest == 2 * depth - 1)
        try TreeRemoval.removeContents(of: directory.path)
        #expect(try paths().isEmpty)
    }

    @Test("takes names that are not UTF-8")
    func rawNames() throws {
        let name: [CChar] = [0x61, -1, 0x62]
        let raw = EntryPath(directory.path).appending(name.withUnsafeBufferPointer { EntryPath($0) })
        _ = try raw.withCString { (path) throws(Errno) in
            try Syscall.open(path, [.writeOnly, .create], mode: 0o644)
        }
        try TreeWalk(directory.path).forEach(cancellation: nil) { entry in
            #expect(entry.name.bytes == [0x61, 0xff, 0x62])
            #expect(entry.path.description == "a\u{fffd}b")
            _ = try entry.open()
        }
    }

    @Test("stops when cancelled")
    func cancelled() throws {
        try directory.write("a/b")
        let cancellation = Cancellation()
        #expect(throws: CancellationError.self) {
            try TreeWalk(directory.path).forEach(cancellation: cancellation) { _ in cancellation.cancel() }
        }
    }

    @Test("says what it could not read")
    func missing() throws {
        let error = #expect(throws: BuildError.self) {
            try TreeWalk(directory("nothing")).forEach(cancellation: nil) { _ in }
        }
        #expect(error?.message == "cannot open directory '\(directory("nothing"))': no such file or directory")
    }
}
