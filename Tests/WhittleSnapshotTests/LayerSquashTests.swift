import Foundation
import Testing
import WhittleArchive
import WhittleFileSystem
import WhittleSnapshot

@Suite("LayerSquash", .enabled(if: geteuid() == 0, "deletions are devices"))
struct LayerSquashTests {
    /// Makes a tree: a name that ends in a slash is a directory, `-NAME` a deletion, `!NAME` a directory that hides what is
    /// below it, and everything else a file that holds `content`.
    private func make(_ names: [String], _ content: String, in directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in names {
            let path = directory + "/" + name.trimmingCharacters(in: CharacterSet(charactersIn: "-!"))
            switch name.first {
            case "-": #expect(mknod(path, S_IFCHR, 0) == 0)
            case "!":
                #expect(mkdir(path, 0o755) == 0)
                try LayerTests.setAttribute("trusted.overlay.opaque", "y", path)
            default:
                if name.hasSuffix("/") {
                    #expect(mkdir(path, 0o755) == 0)
                } else {
                    try Data(content.utf8).write(to: URL(fileURLWithPath: path))
                }
            }
        }
    }

    private func squash(base: [String], _ layers: [[String]]) throws -> [String] {
        try LayerTests.withDirectory { root in
            try make(base, "base", in: root + "/base")
            let changes = try layers.enumerated().map { position, names in
                try make(names, "layer \(position)", in: "\(root)/\(position)")
                return "\(root)/\(position)"
            }
            let result = root + "/result"
            try make([], "", in: result)
            try LayerSquash(changes: changes, base: root + "/base").write(into: result, Cancellation())
            let recorder = LayerTests.Recorder()
            var reader = TarReader(recorder)
            _ = try LayerWriter(changesIn: result).write(cancellation: Cancellation()) { try reader.feed($0) }
            try reader.finish()
            return recorder.entries.map { entry in
                entry.displayPath.hasSuffix("/") ? String(entry.displayPath.dropLast()) : entry.displayPath
            }
        }
    }

    @Test("what is deleted again is gone without a mark, what the base has is marked")
    func deletions() throws {
        #expect(
            try squash(base: ["old"], [["new", "kept"], ["-new", "-old"]]) == ["kept", ".wh.old"])
        #expect(try squash(base: ["f"], [["-f"], ["f"]]) == ["f"])
        #expect(try squash(base: [], [["d/", "d/a", "d/b"], ["d/", "-d/a"]]) == ["d", "d/b"])
        #expect(try squash(base: ["d/", "d/a"], [["-d"], ["!d", "d/b"]]) == ["d", "d/.wh..wh..opq", "d/b"])
    }

    @Test("a directory that hides takes what earlier layers had in it")
    func opaque() throws {
        #expect(
            try squash(base: [], [["d/", "d/a", "d/e/", "d/e/x"], ["!d", "d/b"]]) == ["d", "d/.wh..wh..opq", "d/b"])
        #expect(try squash(base: [], [["x"], ["!x", "x/y"]]) == ["x", "x/.wh..wh..opq", "x/y"])
        #expect(try squash(base: [], [["d/", "d/a"], ["d"]]) == ["d"])
    }

    @Test("names may be any bytes")
    func names() throws {
        try LayerTests.withDirectory { root in
            for name in ["0", "1", "base", "result"] { try make([], "", in: "\(root)/\(name)") }
            let name: [UInt8] = [0x66, 0xff, 0x00]
            name.withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { bytes in
                    guard let start = bytes.baseAddress else { return }
                    let first = open(root + "/0", O_DIRECTORY | O_RDONLY)
                    close(openat(first, start, O_CREAT | O_WRONLY, 0o644))
                    close(first)
                    let second = open(root + "/1", O_DIRECTORY | O_RDONLY)
                    #expect(mknodat(second, start, S_IFCHR, 0) == 0)
                    close(second)
                }
            }
            try LayerSquash(changes: [root + "/0", root + "/1"], base: root + "/base").write(
                into: root + "/result", Cancellation())
            #expect(try RootDirectory(root + "/result").names(in: "/").isEmpty)
        }
    }
}
