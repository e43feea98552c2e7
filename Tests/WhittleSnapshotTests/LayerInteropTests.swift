import Foundation
import Glibc
import Testing
import WhittleArchive
import WhittleCore
import WhittleFileSystem
import WhittleSnapshot

@Suite("Layers and other programs", .enabled(if: geteuid() == 0, "devices and owners need root"))
struct LayerInteropTests {
    /// Whether the program is installed; prints what is left out where it is not.
    private static func isInstalled(_ program: String) -> Bool {
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        if directories.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }) {
            return true
        }
        print("skipped: '\(program)' is not installed")
        return false
    }

    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// A tree without deletions, which every tar program unpacks to itself.
    private static func makeTree(_ root: String) throws {
        try FileManager.default.createDirectory(atPath: root + "/usr/lib/deep/er", withIntermediateDirectories: true)
        for number in 0..<200 {
            let contents = String(repeating: "line \(number)\n", count: number * 7)
            try contents.write(toFile: root + "/usr/lib/file\(number)", atomically: false, encoding: .utf8)
        }
        link(root + "/usr/lib/file7", root + "/usr/zz")
        symlink("lib/file1", root + "/usr/link")
        chown(root + "/usr/lib/file3", 1234, 5678)
        chmod(root + "/usr/lib/file3", 0o6755)
        chmod(root + "/usr/lib/deep", 0o1770)
        try String(repeating: "x", count: 3_000_000).write(toFile: root + "/big", atomically: false, encoding: .utf8)
        try "n".write(toFile: root + "/" + String(repeating: "ü", count: 110), atomically: false, encoding: .utf8)
    }

    private static func write(_ directory: String, _ compression: Compression, to path: String) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let descriptor = handle.fileDescriptor
        let compressor = try ParallelCompressor(compression, threads: 2) { bytes in
            guard Glibc.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count else {
                throw CocoaError(.fileWriteUnknown)
            }
        }
        _ = try LayerWriter(changesIn: directory).write(cancellation: Cancellation()) { try compressor.write($0) }
        try compressor.finish()
        try handle.close()
    }

    @Test(
        "GNU tar unpacks a layer to what it was made from",
        arguments: [Compression.none, .gzip(level: 1), .defaultGzip, .defaultZstd])
    func gnuTar(compression: Compression) throws {
        guard Self.isInstalled("tar"), Self.isInstalled("diff") else { return }
        if case .zstd = compression, !Self.isInstalled("zstd") { return }
        try LayerTests.withDirectory { root in
            for name in ["/a", "/b"] { mkdir(root + name, 0o755) }
            try Self.makeTree(root + "/a")
            try Self.write(root + "/a", compression, to: root + "/layer")
            #expect(
                try Self.run("tar", ["-x", "-p", "--numeric-owner", "-f", root + "/layer", "-C", root + "/b"]) == 0)
            #expect(try Self.run("diff", ["-r", "--no-dereference", root + "/a", root + "/b"]) == 0)
            #expect(try LayerTests.write(root + "/b").bytes == LayerTests.write(root + "/a").bytes)
        }
    }

    @Test("umoci unpacks a layer to what it was made from, deletions included")
    func umoci() throws {
        guard Self.isInstalled("umoci") else { return }
        try LayerTests.withDirectory { root in
            for name in ["/a", "/b"] { mkdir(root + name, 0o755) }
            try Self.makeTree(root + "/a")
            mkdir(root + "/b/usr", 0o755)
            mkdir(root + "/b/usr/lib", 0o755)
            mknod(root + "/b/usr/lib/file5", 0o020000, 0)
            mknod(root + "/b/big", 0o020000, 0)
            mkdir(root + "/b/usr/lib/deep", 0o755)
            try LayerTests.setAttribute("trusted.overlay.opaque", "y", root + "/b/usr/lib/deep")
            try "new".write(toFile: root + "/b/usr/lib/deep/new", atomically: false, encoding: .utf8)
            try Self.write(root + "/a", .none, to: root + "/1.tar")
            try Self.write(root + "/b", .none, to: root + "/2.tar")
            let image = root + "/image"
            #expect(try Self.run("umoci", ["init", "--layout", image]) == 0)
            #expect(try Self.run("umoci", ["new", "--image", image + ":t"]) == 0)
            for layer in ["/1.tar", "/2.tar"] {
                #expect(try Self.run("umoci", ["raw", "add-layer", "--image", image + ":t", root + layer]) == 0)
            }
            #expect(try Self.run("umoci", ["unpack", "--image", image + ":t", root + "/bundle"]) == 0)
            let unpacked = root + "/bundle/rootfs"
            #expect(try FileManager.default.contentsOfDirectory(atPath: unpacked + "/usr/lib/deep") == ["new"])
            #expect(!FileManager.default.fileExists(atPath: unpacked + "/usr/lib/file5"))
            #expect(!FileManager.default.fileExists(atPath: unpacked + "/big"))
            #expect(
                FileManager.default.contentsEqual(
                    atPath: unpacked + "/usr/lib/file199", andPath: root + "/a/usr/lib/file199"))
        }
    }

    @Test("overlayfs shows an unpacked layer as the image specification says")
    func overlay() throws {
        try LayerTests.withDirectory { root in
            for name in [
                "/lower", "/upper", "/work", "/merged", "/lower/kept", "/lower/gone", "/lower/again", "/lower/hidden",
            ] {
                mkdir(root + name, 0o755)
            }
            for name in ["/lower/kept/old", "/lower/gone/old", "/lower/again/old", "/lower/hidden/old", "/lower/file"] {
                try "old".write(toFile: root + name, atomically: false, encoding: .utf8)
            }
            try LayerTests.apply(
                LayerTests.tar([
                    (LayerTests.entry("kept", .directory), []), (LayerTests.entry("kept/new"), [1]),
                    (LayerTests.entry(".wh.gone"), []), (LayerTests.entry(".wh.file"), []),
                    // A deletion, and a new directory of the same name: in either order only what is new is seen.
                    (LayerTests.entry(".wh.again"), []), (LayerTests.entry("again", .directory), []),
                    (LayerTests.entry("again/new"), [1]),
                    (LayerTests.entry("hidden/new"), [1]), (LayerTests.entry("hidden/.wh..wh..opq"), []),
                ]), into: root + "/upper")
            let options = "lowerdir=\(root)/lower,upperdir=\(root)/upper,workdir=\(root)/work"
            guard try Self.run("mount", ["-t", "overlay", "overlay", "-o", options, root + "/merged"]) == 0 else {
                print("skipped: overlayfs cannot be mounted here")
                return
            }
            defer { _ = try? Self.run("umount", [root + "/merged"]) }  // The directory's removal would report it.
            func names(_ path: String) throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: root + "/merged" + path).sorted()
            }
            #expect(try names("") == ["again", "hidden", "kept"])
            #expect(try names("/kept") == ["new", "old"])
            #expect(try names("/again") == ["new"])
            #expect(try names("/hidden") == ["new"])
        }
    }
}
