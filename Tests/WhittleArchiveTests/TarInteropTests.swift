import Foundation
import Glibc
import Testing
import WhittleArchive
import WhittleCore

@Suite("Tar of other programs", .enabled(if: Tool.isInstalled("tar")))
struct TarInteropTests {
    static let entries: [(TarEntry, [UInt8])] = {
        let time = Timestamp(seconds: 1_600_000_000)
        return [
            (TarEntry(path: TarSample.path("d"), kind: .directory, permissions: 0o750, modified: time), []),
            (
                TarEntry(path: TarSample.path("d/plain"), kind: .regular, permissions: 0o4711, modified: time),
                Array("plain".utf8)
            ),
            (
                TarEntry(
                    path: TarSample.path("d/" + String(repeating: "long/", count: 30) + "name"), kind: .regular,
                    modified: time), [1]
            ),
            (
                TarEntry(
                    path: TarSample.path("d/" + String(repeating: "x", count: 200)), kind: .regular, modified: time),
                [2, 3]
            ),
            (
                TarEntry(
                    path: TarSample.path("d/ünï"), kind: .symbolicLink, modified: time,
                    linkTarget: TarSample.path(String(repeating: "t", count: 150))), []
            ),
            (
                TarEntry(
                    path: TarSample.path("d/hard"), kind: .hardLink, modified: time,
                    linkTarget: TarSample.path("d/plain")), []
            ),
            (TarEntry(path: TarSample.path("d/old"), kind: .regular, modified: Timestamp(seconds: -86_400)), []),
            (TarEntry(path: TarSample.path("d/pipe"), kind: .fifo, permissions: 0o600, modified: time), []),
            (
                TarEntry(
                    path: TarSample.path("d/noted"), kind: .regular, modified: time,
                    attributes: ["user.note": Array("hello".utf8)]), Array(repeating: 9, count: 2000)
            ),
        ]
    }()

    @Test("unpack what was written", arguments: ["tar", "bsdtar"])
    func unpack(program: String) throws {
        guard Tool.isInstalled(program) else { return }
        try Tool.withDirectory { directory in
            let archive = directory + "/a.tar"
            try Data(TarSample.write(Self.entries)).write(to: URL(fileURLWithPath: archive))
            let extra = program == "tar" ? ["--xattrs", "--xattrs-include=*"] : ["--xattrs"]
            try Tool.run(program, ["-x", "-p", "-f", archive, "-C", directory, "--no-same-owner"] + extra)
            for (entry, contents) in Self.entries {
                let path = directory + "/" + entry.displayPath
                var status = stat()
                #expect(lstat(path, &status) == 0, "\(path)")
                switch entry.kind {
                case .regular:
                    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(contents))
                    #expect(status.st_mode & 0o777 == UInt32(entry.permissions) & 0o777)
                    #expect(Int64(status.st_mtim.tv_sec) == entry.modified.seconds)
                case .directory: #expect(status.st_mode & 0o777 == 0o750)
                case .symbolicLink:
                    #expect(
                        try FileManager.default.destinationOfSymbolicLink(atPath: path)
                            == String(decoding: entry.linkTarget, as: UTF8.self))
                case .hardLink: #expect(status.st_nlink == 2)
                default: #expect(status.st_mode & S_IFMT == S_IFIFO)
                }
            }
            guard Tool.isInstalled("getfattr") else { return }
            let value = try Tool.run("getfattr", ["--only-values", "-n", "user.note", directory + "/d/noted"])
            #expect(value == Data("hello".utf8))
        }
    }

    @Test("write sparse files in every form, and they are read", arguments: ["oldgnu", "0.0", "0.1", "1.0"])
    func sparse(form: String) throws {
        try Tool.withDirectory { directory in
            let url = URL(fileURLWithPath: directory + "/sparse")
            try Data().write(to: url)
            let file = try FileHandle(forWritingTo: url)
            for part in 0..<60 {
                try file.seek(toOffset: UInt64(part) << 17)
                try file.write(contentsOf: Data([UInt8(part), 7]))
            }
            try file.truncate(atOffset: 9 << 20)
            try file.close()
            let format = form == "oldgnu" ? ["--format=oldgnu"] : ["--format=pax", "--sparse-version=\(form)"]
            let archive = directory + "/a.tar"
            try Tool.run(
                "tar", ["--create", "--sparse", "--file", archive, "--directory", directory] + format + ["sparse"])
            let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: archive)))
            #expect(bytes.count < 2 << 20)
            for chunk in [333, 10_240] {
                let items = try TarSample.read(bytes, chunk: chunk)
                #expect(items.map { $0.entry.displayPath } == ["sparse"])
                #expect(items.first?.entry.size == 9 << 20)
                #expect(try items.first.map { Data($0.contents) } == Data(contentsOf: url))
            }
        }
    }

    @Test(
        "bsdtar's archives are read", .enabled(if: Tool.isInstalled("bsdtar")), arguments: ["pax", "gnutar", "ustar"])
    func fromBSDTar(format: String) throws {
        try Tool.withDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/d", withIntermediateDirectories: true)
            let long = format == "ustar" ? "short" : String(repeating: "ä", count: 100)
            try Data("x".utf8).write(to: URL(fileURLWithPath: directory + "/d/" + long))
            symlink("target", directory + "/d/link")
            let archive = directory + "/a.tar"
            try Tool.run("bsdtar", ["-c", "-f", archive, "--format=\(format)", "-C", directory, "d"])
            let items = try TarSample.read([UInt8](Data(contentsOf: URL(fileURLWithPath: archive))))
            #expect(Set(items.map { $0.entry.displayPath }) == ["d/", "d/" + long, "d/link"])
            #expect(items.first { $0.entry.kind == .symbolicLink }?.entry.linkTarget == TarSample.path("target"))
            #expect(items.first { $0.entry.kind == .regular }?.contents == Array("x".utf8))
        }
    }

    @Test("sizes of 8 GiB and more, and large owners, go into a pax header")
    func large() throws {
        let bytes = TarSample.Bytes()
        var writer = TarWriter { bytes.value += Array($0) }
        var entry = TarEntry(path: TarSample.path("big"), kind: .regular, uid: 3_000_000, gid: 2_097_151)
        entry.size = 9 << 30
        try writer.begin(entry)
        let text = String(decoding: bytes.value[512..<1024], as: UTF8.self)
        #expect(text.hasPrefix("19 size=9663676416\n15 uid=3000000\n"))
        #expect(!text.contains("gid="))
        var reader = TarReader(RecordingConsumer())
        try bytes.value.withUnsafeBytes { try reader.feed($0) }
        #expect(reader.consumer.items.first?.entry == entry)
        // The writer is left in the middle of the entry: nobody wants its 9 GiB.
        #expect(Outcome.code { try reader.finish() } == "malformed-archive")
    }
}
