import Testing

@testable import WhittlePackages

private func findings(_ kind: EvidenceKind, _ text: String, path: String = "f") -> Findings {
    let reader = EvidenceReader(kind, path: path)
    Array(text.utf8).withUnsafeBytes { reader.take($0) }
    return reader.finish()
}

@Suite("dpkg's status")
struct DpkgTests {
    @Test("lists what is installed, with its source package")
    func installed() {
        let found = findings(
            .dpkg,
            """
            Package: libc6
            Status: install ok installed
            Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
            Architecture: amd64
            Multi-Arch: same
            Source: glibc (2.36-9)
            Version: 2.36-9+deb12u8
            Description: GNU C Library
             Version: 0
             .

            Package: gone
            Status: deinstall ok config-files
            Version: 1

            Package: tzdata
            Status: install ok installed
            Architecture: all
            Version: 2024a-0
            """)
        #expect(found.problems == [])
        #expect(found.packages.map(\.name) == ["libc6", "tzdata"])
        #expect(found.packages[0].source == Package.Source(name: "glibc", version: "2.36-9"))
        #expect(
            PackageURL.text(found.packages[0], on: Distribution(id: "debian", version: "12"))
                == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u8?arch=amd64&distro=debian-12&upstream=glibc%402.36-9")
        #expect(
            PackageURL.text(found.packages[1], on: nil) == "pkg:deb/tzdata@2024a-0?arch=all")
    }

    @Test(
        "says what is broken",
        arguments: [
            ("Version: 1\n", "its entry 1 names no package"),
            ("Package: a\n\nPackage: b\nVersion: 1\n", "its entry for 'a' has no version"),
            ("\u{0}\u{1}\u{2}", "it is no list of packages of dpkg"),
            (String(repeating: "x", count: 100_000), "it is no list of packages of dpkg"),
        ])
    func broken(text: String, problem: String) {
        #expect(findings(.dpkg, text).problems == [problem])
    }

    @Test("keeps a thousand problems short")
    func many() {
        let found = findings(.dpkg, String(repeating: "Package: a\n\n", count: 1000))
        #expect(found.problems.count == 6)
        #expect(found.problems.last == "there are 995 more problems of that kind")
    }

    @Test("has nothing to say of an empty file", arguments: ["", "\n\n"])
    func empty(text: String) { #expect(findings(.dpkg, text).isEmpty) }
}

@Suite("apk's installed")
struct ApkTests {
    @Test("lists packages and passes over their files")
    func installed() {
        let found = findings(
            .apk,
            """
            C:Q1abc=
            P:busybox-binsh
            V:1.36.1-r29
            A:x86_64
            L:GPL-2.0-only
            o:busybox
            m:Sören Tempel <soeren+alpine@soeren-tempel.net>
            U:https://busybox.net/
            F:bin
            R:sh
            a:0:0:777

            P:musl
            V:1.2.5-r0
            A:x86_64
            o:musl

            """)
        #expect(found.problems == [])
        #expect(found.packages.map(\.name) == ["busybox-binsh", "musl"])
        let alpine = Distribution(id: "alpine", version: "3.20.3")
        #expect(
            PackageURL.text(found.packages[0], on: alpine)
                == "pkg:apk/alpine/busybox-binsh@1.36.1-r29?arch=x86_64&distro=alpine-3.20.3&upstream=busybox")
        #expect(PackageURL.text(found.packages[1], on: alpine).hasSuffix("?arch=x86_64&distro=alpine-3.20.3"))
        #expect(LicenseExpression(found.packages[0].license) == .identifier("GPL-2.0-only"))
    }

    @Test("says what is broken")
    func broken() {
        #expect(findings(.apk, "V:1\n\n").problems == ["its entry 1 names no package"])
        #expect(findings(.apk, "P:a\n\n").problems == ["its entry for 'a' has no version"])
        #expect(findings(.apk, "<html>").problems == ["it is no list of packages of apk"])
    }
}

@Suite("Python and npm")
struct LanguageTests {
    @Test(
        "reads the licence of Python packages from where it is said",
        arguments: [
            ("License-Expression: MIT\n", "MIT"),
            ("License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License\n", "BSD-3-Clause"),
            ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", "MIT License"),
            ("Classifier: License :: OSI Approved\n", ""),
        ])
    func license(fields: String, license: String) {
        let found = findings(.python, "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\n\(fields)\nName: no\n")
        #expect(found.packages.map(\.license) == [license])
        #expect(found.packages.map { PackageURL.text($0, on: nil) } == ["pkg:pypi/foo-bar@1.0"])
    }

    @Test("reads scoped npm packages")
    func scoped() {
        let found = findings(
            .nodePackage, #"{"name":"@babel/core","version":"7.0.0","license":{"type":"MIT"},"author":"A <a@b> (c)"}"#)
        #expect(found.packages.map { PackageURL.text($0, on: nil) } == ["pkg:npm/%40babel/core@7.0.0"])
        #expect(found.packages[0].license == "MIT")
        #expect(found.packages[0].supplier == "A <a@b>")
    }

    @Test(
        "reads lock files of all versions",
        arguments: [
            #"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"@s/b":{"version":"2.0.0"}}}}}"#,
            #"{"lockfileVersion":3,"packages":{"":{"version":"9"},"node_modules/a":{"version":"1.0.0"},"node_modules/a/node_modules/@s/b":{"version":"2.0.0"},"x":{"link":true}}}"#,
        ])
    func lock(text: String) {
        let names = findings(.nodeLock, text).packages.map { "\($0.fullName)@\($0.version)" }
        #expect(names.sorted() == ["@s/b@2.0.0", "a@1.0.0"])
    }

    @Test(
        "says what is broken",
        arguments: [
            (EvidenceKind.nodePackage, "{", "it is no JSON document: unexpected end of the document at byte 1"),
            (.nodePackage, "[]", "it has no name of a package"),
            (.nodeLock, "{}", "it is no lock file of npm"),
            (.python, "hello", "it has no name of a Python package"),
            (.python, "Name: a\n", "the Python package 'a' has no version"),
            (.release, "hello", "it names no distribution"),
        ])
    func broken(kind: EvidenceKind, text: String, problem: String) {
        #expect(findings(kind, text).problems == [problem])
    }

    @Test("refuses JSON of any depth", arguments: [EvidenceKind.nodePackage, .nodeLock])
    func deep(kind: EvidenceKind) {
        let found = findings(kind, String(repeating: "[", count: 1_000_000))
        #expect(found.problems.count == 1 && found.problems[0].contains("nest"))
    }
}

@Suite("EvidenceKind")
struct EvidenceKindTests {
    @Test(
        "tells by the path",
        arguments: [
            ("etc/os-release", EvidenceKind.release), ("var/lib/dpkg/status", .dpkg),
            ("var/lib/dpkg/status.d/base", .dpkg), ("var/lib/dpkg/status.d/base.md5sums", .program),
            ("srv/var/lib/dpkg/status", .program), ("lib/apk/db/installed", .apk), ("usr/lib/apk/db/installed", .apk),
            ("var/lib/rpm/rpmdb.sqlite", .rpmSQLite), ("usr/lib/sysimage/rpm/Packages.db", .rpmNDB),
            ("var/lib/rpm/Packages", .rpmBerkeley), ("var/lib/rpm/x/Packages", .program),
            ("usr/lib/python3/dist-packages/a-1.dist-info/METADATA", .python), ("METADATA", .program),
            ("a/b-1.egg-info/PKG-INFO", .python), ("a/b-1.egg-info", .python),
            ("app/node_modules/a/package.json", .nodePackage), ("app/node_modules/@s/a/package.json", .nodePackage),
            ("app/node_modules/a/dist/package.json", .program), ("app/node_modules/@s/package.json", .program),
            ("app/package.json", .program), ("app/package-lock.json", .nodeLock),
            ("app/node_modules/a/package-lock.json", .program), ("opt/app.jar", .java), ("app.war", .java),
        ])
    func kind(path: String, kind: EvidenceKind) { #expect(EvidenceKind(ofFileAt: path) == kind) }
}

@Suite("PackageList")
struct PackageListTests {
    @Test("makes one of what several files say, and prefers what is installed to what is locked")
    func merges() {
        let package = Findings([Package(.npm, name: "a", version: "1")])
        let locked = Findings([Package(.npm, name: "b", version: "1")])
        let list = PackageList([
            ("x/node_modules/a/package.json", .nodePackage, package),
            ("y/node_modules/a/package.json", .nodePackage, package),
            ("x/package-lock.json", .nodeLock, locked), ("z/package-lock.json", .nodeLock, package),
        ])
        #expect(list.packages.map(\.name) == ["a"])
        #expect(
            list.packages[0].locations == [
                "/x/node_modules/a/package.json", "/y/node_modules/a/package.json", "/z/package-lock.json",
            ])
    }

    @Test("names the file of a problem")
    func warnings() {
        let list = PackageList([("var/lib/dpkg/status", .dpkg, Findings(problems: ["it is empty"]))])
        #expect(list.warnings == ["looking for packages in '/var/lib/dpkg/status': it is empty"])
    }
}
