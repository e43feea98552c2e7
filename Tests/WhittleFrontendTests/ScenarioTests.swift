import Foundation
import Testing
import WhittleCore
import WhittleDockerfile
import WhittleFrontend
import WhittleGraph

/// The applications of `../shared/scenarios`, where they are at hand.
@Suite("Scenarios")
struct ScenarioTests {
    private static let directory: URL = {
        let shared =
            ProcessInfo.processInfo.environment["WHITTLE_SHARED"].map { URL(fileURLWithPath: $0) }
            ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")
        return shared.appendingPathComponent("scenarios")
    }()

    /// `SCENARIO/FILE` of every Dockerfile that begins so.
    private static func files(_ prefix: String) -> [String] {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: directory.path) else {
            print("scenarios: skipped, \(directory.path) is not there")
            return []
        }
        return entries.sorted().flatMap { scenario in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/\(scenario)")) ?? []
            return names.filter { $0.hasPrefix(prefix) }.sorted().map { "\(scenario)/\($0)" }
        }
    }

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
    }

    @Test(
        "the Dockerfiles that build are lowered, without a warning",
        arguments: files("Dockerfile").filter { !$0.hasSuffix(".article") })
    func buildable(name: String) async throws {
        let lowered = try await lower(try Self.text(name))
        #expect(lowered.warnings.isEmpty)
        #expect(!lowered.definition.vertices.isEmpty)
    }

    @Test("the test stage that nothing needs is left out")
    func unusedStage() async throws {
        guard let text = try? Self.text("s03-node-parallel/Dockerfile") else { return }
        let lowered = try await lower(text)
        #expect(lowered.plan.stages.filter { !$0.isBuilt }.map(\.name) == ["test"])
    }

    /// `nil` for those whose mistake only shows when they are built.
    private static let mistakes: [String: String?] = [
        "s02-node-builder": nil, "s05-go-scratch": "1", "s06-react-nginx": "1",
        "s08-cache-order": "3:23 trailing-comment",
        "s09-hardening": nil, "s10-secret": nil, "s11-multiarch": "1",
    ]

    @Test("the article's own Dockerfiles end in the error that teaches", arguments: files("Dockerfile.article"))
    func article(name: String) async throws {
        let scenario = String(name.prefix { $0 != "/" })
        let expected = try #require(Self.mistakes[scenario], "no expectation for \(scenario)")
        let text = try Self.text(name)
        if let expected {
            let error = await #expect(throws: BuildError.self) { try await lower(text) }
            #expect(error?.summary.hasPrefix(expected) == true, "\(error?.summary ?? "")")
        } else {
            _ = try await lower(text)
        }
    }
}
