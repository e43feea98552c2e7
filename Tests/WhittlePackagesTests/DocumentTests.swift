import Testing
import WhittleCore
import WhittleOCI

@testable import WhittlePackages

@Suite("Documents of packages")
struct DocumentTests {
    private static let list = PackageList([
        ("etc/os-release", .release, Findings(distribution: Distribution(id: "debian", version: "12"))),
        (
            "var/lib/dpkg/status", .dpkg,
            Findings([
                Package(
                    .deb, name: "a", version: "1:2", architecture: "all", supplier: "Jo <jo@example.com>",
                    homepage: "https://a"),
                Package(.deb, name: "b", version: "1", architecture: "amd64", license: "some words"),
                Package(.deb, name: "b", version: "1", architecture: "arm64", license: "some words"),
            ])
        ),
    ])
    private static let subject = DocumentSubject(
        name: "app:1", digest: Digest(hashing: "x"), url: "pkg:docker/app@1",
        created: Timestamp(seconds: 1, nanoseconds: 5),
        tool: .init(name: "whittle", version: "1"))

    @Test("SPDX has what the format requires")
    func spdx() {
        let document = SPDXDocument.json(Self.list, of: Self.subject)
        #expect(document["spdxVersion"] == "SPDX-2.3")
        #expect(document["creationInfo"]?["created"] == "1970-01-01T00:00:01Z")
        let packages = document["packages"]?.array ?? []
        #expect(packages.count == 5)
        #expect(Set(packages.compactMap { $0["SPDXID"]?.string }).count == 5)
        #expect(packages[2]["supplier"] == "Person: Jo (jo@example.com)")
        #expect(
            packages[2]["externalRefs"]?[0]?["referenceLocator"] == "pkg:deb/debian/a@1:2?arch=all&distro=debian-12")
        let reference = document["hasExtractedLicensingInfos"]?[0]?["licenseId"]
        #expect(reference != nil && packages[3]["licenseDeclared"] == reference)
        #expect(document["relationships"]?.array?.count == 5)
    }

    @Test("CycloneDX has what the format requires")
    func cycloneDX() {
        let document = CycloneDXDocument.json(Self.list, of: Self.subject)
        #expect(document["specVersion"] == "1.6")
        let components = document["components"]?.array ?? []
        let names = Set(components.compactMap { $0["bom-ref"]?.string })
        #expect(names.count == 4)
        #expect(document["dependencies"]?[0]?["dependsOn"]?.array?.count == 4)
        #expect(document["metadata"]?["component"]?["type"] == "container")
    }

    @Test("are equal for equal images, and have another name for others")
    func names() {
        var other = Self.subject
        other.digest = Digest(hashing: "y")
        func name(_ subject: DocumentSubject) -> JSONValue? {
            SPDXDocument.json(Self.list, of: subject)["documentNamespace"]
        }
        #expect(name(Self.subject) == name(Self.subject))
        #expect(name(Self.subject) != name(other))
        #expect(
            CycloneDXDocument.json(Self.list, of: other)["serialNumber"]
                != CycloneDXDocument.json(Self.list, of: Self.subject)["serialNumber"])
    }

    @Test(
        "tell licences of SPDX from other texts",
        arguments: [
            ("MIT", LicenseExpression.identifier("MIT")), ("GPL-2.0+", .identifier("GPL-2.0+")),
            (
                "MIT AND (BSD-3-Clause OR GPL-2.0-only WITH Classpath-exception-2.0)",
                .expression("MIT AND (BSD-3-Clause OR GPL-2.0-only WITH Classpath-exception-2.0)")
            ),
            ("MIT and BSD-3-Clause", .text("MIT and BSD-3-Clause")), ("MIT AND", .text("MIT AND")),
            ("((MIT)", .text("((MIT)")), ("GPL2", .text("GPL2")), ("WITH", .text("WITH")),
        ])
    func licenses(text: String, license: LicenseExpression) { #expect(LicenseExpression(text) == license) }

    @Test("refuse an expression of any depth")
    func deep() {
        let text = String(repeating: "(", count: 100_000) + "MIT"
        #expect(LicenseExpression(text) == .text(text))
    }

    @Test(
        "name images as BuildKit does",
        arguments: [
            ("alpine", "pkg:docker/alpine@latest?platform=linux%2Famd64"),
            ("example.com/a/b:1", "pkg:docker/example.com/a/b@1?platform=linux%2Famd64"),
            ("localhost:5000/x:y", "pkg:docker/localhost:5000/x@y?platform=linux%2Famd64"),
        ])
    func images(name: String, url: String) throws {
        let platform = Platform(os: "linux", architecture: "amd64")
        #expect(PackageURL.text(of: try ImageReference(parsing: name), platform: platform) == url)
    }
}
