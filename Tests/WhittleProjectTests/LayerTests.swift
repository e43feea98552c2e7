import Foundation
import Testing

/// The dependency directions that docs/architecture.md promises, against what the package declares.
@Suite("Layers")
struct LayerTests {
    /// A target as `swift package describe` tells of it.
    struct Target: Decodable {
        let name: String
        let type: String
        let targetDependencies: [String]?
        let productDependencies: [String]?

        enum CodingKeys: String, CodingKey {
            case name, type
            case targetDependencies = "target_dependencies"
            case productDependencies = "product_dependencies"
        }
    }

    private struct Package: Decodable {
        let targets: [Target]
    }

    /// `swift test` holds the lock of `.build`, so the description is made in a scratch directory of its own.
    static func describedTargets() throws -> [Target] {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }  // a temporary directory that stays breaks nothing
        let json = try ProjectFiles.output(
            of: "swift", ["package", "--scratch-path", scratch.path, "describe", "--type", "json"])
        return try JSONDecoder().decode(Package.self, from: json).targets
    }

    /// The layer of each target in the table; `nil` for those of the tests, which may import anything.
    static func documentedLayers() throws -> [String: Int?] {
        var layers: [String: Int?] = [:]
        for row in ProjectFiles.tableRows(of: try ProjectFiles.text("docs/architecture.md")) where row.count == 4 {
            let name = row[1].trimmingCharacters(in: ["`"])
            guard row[1].hasPrefix("`"), row[0] == "test" || Int(row[0]) != nil else { continue }
            layers.updateValue(Int(row[0]), forKey: name)
        }
        return layers
    }

    @Test("every target has a row in docs/architecture.md, and every row a target")
    func documented() throws {
        let declared = Set(try Self.describedTargets().map(\.name).filter { !$0.hasSuffix("Tests") })
        let documented = Set(try Self.documentedLayers().keys.filter { !$0.hasSuffix("Tests") })
        #expect(declared.subtracting(documented).sorted() == [])
        #expect(documented.subtracting(declared).sorted() == [])
    }

    @Test("a target depends on lower layers only")
    func downwards() throws {
        let layers = try Self.documentedLayers()
        for target in try Self.describedTargets() where target.type != "test" {
            guard let layer = layers[target.name] ?? nil else { continue }
            for dependency in target.targetDependencies ?? [] {
                let below = try #require(
                    layers[dependency] ?? nil, "\(target.name) depends on \(dependency), which is for tests")
                #expect(below < layer, "\(target.name) (layer \(layer)) depends on \(dependency) (layer \(below))")
            }
        }
    }

    @Test("ArgumentParser stays in WhittleCommands")
    func argumentParser() throws {
        let users = try Self.describedTargets().filter { ($0.productDependencies ?? []).contains("ArgumentParser") }
        #expect(Set(users.map(\.name)).subtracting(["WhittleCommands", "WhittleCommandsTests", "whittle"]) == [])
    }

    @Test("no source file imports Foundation")
    func noFoundation() throws {
        for path in ProjectFiles.paths(in: "Sources", endingIn: ["swift"]) {
            let imports = try ProjectFiles.text(path).split(separator: "\n").filter {
                $0.contains("import Foundation") && !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//")
            }
            #expect(imports == [], "\(path)")
        }
    }

    @Test("every library target says in a README what it is and what it is not")
    func readMe() throws {
        for target in try Self.describedTargets() where target.type == "library" && target.name.hasPrefix("Whittle") {
            #expect(ProjectFiles.exists("Sources/\(target.name)/README.md"), "\(target.name)")
        }
    }
}
