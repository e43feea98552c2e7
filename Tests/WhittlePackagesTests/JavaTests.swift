import Testing

@testable import WhittlePackages

@Suite("Java archives")
struct JavaTests {
    private static func little(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(value >> (8 * $0) & 0xFF) }
    }

    /// An archive of stored files.
    private static func zip(_ files: [(String, [UInt8])]) -> [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        for (name, contents) in files {
            let offset = bytes.count
            let sizes =
                little(0, 4) + little(contents.count, 4) + little(contents.count, 4) + little(name.utf8.count, 2)
            bytes +=
                [0x50, 0x4B, 3, 4] + little(20, 2) + little(0, 8) + sizes + little(0, 2) + Array(name.utf8) + contents
            directory += [0x50, 0x4B, 1, 2] + little(20, 2) + little(20, 2) + little(0, 8) + sizes
            directory += little(0, 12) + little(offset, 4) + Array(name.utf8)
        }
        let end = little(0, 4) + little(files.count, 2) + little(files.count, 2) + little(directory.count, 4)
        return bytes + directory + [0x50, 0x4B, 5, 6] + end + little(bytes.count, 4) + little(0, 2)
    }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func findings(_ bytes: [UInt8], _ name: String = "app.jar") -> Findings {
        let reader = EvidenceReader(.java, path: "opt/\(name)")
        bytes.withUnsafeBytes { reader.take($0) }
        return reader.finish()
    }

    private static let maven = zip([
        ("META-INF/MANIFEST.MF", text("Implementation-Title: no\n")),
        (
            "META-INF/maven/org.slf4j/slf4j-api/pom.properties",
            text("#x\nversion=1.7.36\r\ngroupId=org.slf4j\nartifactId=slf4j-api\n")
        ),
    ])

    @Test(
        "say what they are in several ways",
        arguments: [
            (maven, "x.jar", "pkg:maven/org.slf4j/slf4j-api@1.7.36"),
            (
                zip([
                    (
                        "META-INF/MANIFEST.MF",
                        text(
                            "Implementation-Title: long-\r\n name\nImplementation-Version: 2\nImplementation-Vendor-Id: org.x\n"
                        )
                    )
                ]), "x.jar", "pkg:maven/org.x/long-name@2"
            ),
            (
                zip([("META-INF/MANIFEST.MF", text("Bundle-SymbolicName: a.b;x=1\nBundle-Version: 3\n"))]), "x.jar",
                "pkg:generic/a.b@3"
            ),
            (zip([("A.class", [])]), "commons-io-2.11.0.jar", "pkg:generic/commons-io@2.11.0"),
        ])
    func kinds(bytes: [UInt8], name: String, url: String) {
        let found = Self.findings(bytes, name)
        #expect(found.problems == [])
        #expect(found.packages.map { PackageURL.text($0, on: nil) } == [url])
    }

    @Test("are looked into with those in them, with a script in front")
    func nested() {
        let script = Self.text("#!/bin/sh\nexec java -jar $0\n")
        let found = Self.findings(
            script + Self.zip([("BOOT-INF/lib/slf4j.jar", Self.maven), ("x.txt", [1])]), "app-1.0.jar")
        #expect(found.problems == [])
        let list = PackageList([("opt/app-1.0.jar", .java, found)])
        #expect(list.packages.map(\.fullName) == ["app", "org.slf4j:slf4j-api"])
        #expect(list.packages[1].locations == ["/opt/app-1.0.jar!/BOOT-INF/lib/slf4j.jar"])
    }

    @Test("in archives in archives end somewhere")
    func deep() {
        var bytes = Self.maven
        for _ in 0..<5 { bytes = Self.zip([("a.jar", bytes)]) }
        #expect(Self.findings(bytes).problems == ["'a.jar!/a.jar!/a.jar' in it is nested too deep to be looked into"])
    }

    @Test("that are no archives are a problem")
    func broken() {
        #expect(Self.findings(Self.text("no")).problems == ["it is no ZIP archive, or cut short"])
        var generator = SystemRandomNumberGenerator()
        let bytes = Self.zip([("BOOT-INF/lib/slf4j.jar", Self.maven)])
        for _ in 0..<500 {
            var changed = bytes
            for _ in 0..<6 {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = Self.findings(changed)
        }
        for count in 0..<bytes.count { _ = Self.findings(Array(bytes.prefix(count))) }
    }
}
