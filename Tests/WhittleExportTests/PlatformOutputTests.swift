import Foundation
import Testing
import WhittleCore
import WhittleOCI

@testable import WhittleExport

@Suite("Outputs of several platforms")
struct PlatformOutputTests {
    static let platforms = [
        Platform(os: "linux", architecture: "amd64"), Platform(os: "linux", architecture: "arm", variant: "v7"),
    ]

    /// An exporter of two file systems, each with a file of its platform's own and one that both have.
    private func exporter(_ store: StoreFixture, in directory: String, common: String?) throws -> Exporter {
        var trees: [ExportTree] = []
        for platform in Self.platforms {
            let root = "\(directory)/root-\(platform.architecture)"
            try FileManager.default.createDirectory(atPath: "\(root)/etc", withIntermediateDirectories: true)
            try write("\(platform)", to: "\(root)/etc/\(platform.architecture)")
            try FileManager.default.linkItem(
                atPath: "\(root)/etc/\(platform.architecture)", toPath: "\(root)/\(platform.architecture)-too")
            if let common { try write("\(platform)", to: "\(root)/\(common)") }
            trees.append(
                ExportTree(platform: platform, directory: root, times: .exactly(Timestamp(seconds: 1_000_000))))
        }
        return Exporter(
            blobs: store.blobs, names: store.names, scratch: store.scratch, images: { _ in [] },
            rootFileSystems: { [trees] in trees })
    }

    private func output(_ value: String) throws -> ExporterOptions {
        try OutputPlan(values: [value], tags: [], platforms: Self.platforms).outputs[0]
    }

    @Test("a directory gets one for each platform, unless they are to share it")
    func local() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let exporter = try exporter(StoreFixture(in: directory), in: directory, common: nil)
            _ = try await exporter.write(output("type=local,dest=\(directory)/a"))
            #expect(try read("\(directory)/a/linux_amd64/etc/amd64") == "linux/amd64")
            #expect(try read("\(directory)/a/linux_arm_v7/etc/arm") == "linux/arm/v7")
            _ = try await exporter.write(output("type=local,dest=\(directory)/b,platform-split=false"))
            #expect(try read("\(directory)/b/etc/amd64") == "linux/amd64")
            #expect(try read("\(directory)/b/etc/arm") == "linux/arm/v7")
        }
    }

    @Test("two platforms with a file at one place do not overwrite each other")
    func collision() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let exporter = try exporter(StoreFixture(in: directory), in: directory, common: "app")
            let output = try output("type=local,dest=\(directory)/b,platform-split=false")
            let error = await #expect(throws: BuildError.self) { try await exporter.write(output) }
            #expect(error?.code == .outputConflict)
            #expect(
                error?.message
                    == "cannot write output 'app' for linux/arm/v7: linux/amd64 has a file there, and "
                    + "'platform-split=false' puts both in one directory")
        }
    }

    @Test("an archive has a directory for each platform, with links inside it")
    func archive() async throws {
        guard let tar = ToolRun.find("tar") else { return }
        try await withTemporaryDirectoryAsync { directory in
            let exporter = try exporter(StoreFixture(in: directory), in: directory, common: nil)
            let path = "\(directory)/out.tar"
            _ = try await exporter.write(output("type=tar,dest=\(path)"))
            let listed = try ToolRun(tar, ["--utc", "-tvf", path]).output.split(separator: "\n")
            #expect(listed.count == 8)
            #expect(listed.allSatisfy { $0.contains(" 1970-01-12 13:46 ") })
            #expect(listed.contains { $0.hasSuffix(" linux_arm_v7/etc/arm link to linux_arm_v7/arm-too") })
        }
    }

    @Test("platform-split=true gives a single platform a directory, too")
    func single() throws {
        let plan = try OutputPlan(values: ["type=local,dest=a", "type=tar,platform-split=true"], tags: [])
        guard case .local(let local) = plan.outputs[0], case .tar(let tar) = plan.outputs[1] else {
            Issue.record("other outputs")
            return
        }
        #expect(!local.split.isOn && tar.split.isOn)
    }

    @Test(
        "what has no room for several platforms is refused before the build",
        arguments: [
            ("type=docker,dest=a.tar", "the docker output holds an image for one platform", "type=oci,dest=FILE"),
            ("type=docker", "the docker output holds an image for one platform", "--platform=linux/amd64"),
            ("type=tar,platform-split=false", "the tar output cannot hold 2 platforms", "platform-split=false"),
        ])
    func refused(value: String, message: String, hint: String) {
        let error = #expect(throws: BuildError.self) {
            try OutputPlan(values: [value], tags: [], platforms: Self.platforms)
        }
        #expect(error?.code == .invalidOutput)
        #expect(error?.message.hasPrefix(message) == true && error?.hint?.contains(hint) == true)
    }
}
