import Foundation
import Testing
import WhittleCore
import WhittleExport
import WhittleOCI
import WhittleStore

@Suite("The root file system as outputs")
struct RootTarTests {
    @Test("GNU tar unpacks the tar output to the same tree")
    func tar() async throws {
        guard let tar = ToolRun.find("tar"), let diff = ToolRun.find("diff") else { return }
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let root = "\(directory)/root"
            try FileManager.default.createDirectory(atPath: "\(root)/etc/a", withIntermediateDirectories: true)
            try write("one", to: "\(root)/etc/a/one")
            try FileManager.default.linkItem(atPath: "\(root)/etc/a/one", toPath: "\(root)/two")
            #expect(symlink("etc/a", "\(root)/link") == 0)
            let path = "\(directory)/root.tar"
            let result = try await store.exporter(try store.image(), rootFileSystem: root)
                .write(.tar(TarOptions(destination: .file(path: path))))
            #expect(result.image == nil)
            #expect(
                result.size?.bytes
                    == (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.int64Value)
            try FileManager.default.createDirectory(atPath: "\(directory)/out", withIntermediateDirectories: true)
            let unpacked = try ToolRun(tar, ["-xpf", path, "-C", "\(directory)/out"])
            #expect(unpacked.status == 0 && unpacked.output.isEmpty, "\(unpacked.output)")
            let difference = try ToolRun(diff, ["-r", "--no-dereference", root, "\(directory)/out"])
            #expect(difference.status == 0, "\(difference.output)")
        }
    }

    @Test("the local output copies the tree, cacheonly does nothing")
    func local() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let store = try StoreFixture(in: directory)
            let root = "\(directory)/root"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            try write("x", to: "\(root)/file")
            let exporter = store.exporter(try store.image(), rootFileSystem: root)
            let copied = try await exporter.write(.local(LocalOptions(directory: "\(directory)/out")))
            #expect(copied.image == nil && copied.size == 1)
            #expect(try read("\(directory)/out/file") == "x")
            #expect(try await exporter.write(.cacheOnly).image == nil)
        }
    }
}
