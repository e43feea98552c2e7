// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built alike: Swift 6 mode, explicit existentials and imports, no warning tolerated.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// A library target with its `README.md`, together with its test target `NAMETests`, so that none is made without.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], tests: [Target.Dependency] = []) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: swiftSettings),
        .testTarget(
            name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies + tests,
            swiftSettings: swiftSettings),
    ]
}

func system(_ name: String, pkgConfig: String?, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

// Layer numbers are those of docs/architecture.md: a target depends on lower layers only (checked by a test).
var targets: [Target] = []

// Layer 0: C libraries of the system, and shims for calls that Glibc's module lacks. No logic.
targets += [
    .target(name: "CWhittleLinux"),
    .target(name: "CWhittleSHA256", exclude: ["README.md"]),
    .target(name: "CWhittleCurl", exclude: ["README.md"]),
    .target(name: "CWhittleYAML", exclude: ["README.md"]),
    system("CNettle", pkgConfig: "nettle", apt: "nettle-dev"),
    system("CISAL", pkgConfig: "libisal", apt: "libisal-dev"),
    system("CDeflate", pkgConfig: "libdeflate", apt: "libdeflate-dev"),
    system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    system("CBzip2", pkgConfig: nil, apt: "libbz2-dev"),
    system("CLzma", pkgConfig: "liblzma", apt: "liblzma-dev"),
    system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
]

// Layer 1: values without I/O.
targets += library("WhittleCore", ["CNettle"])

// Layer 2: formats, the graph, and the file system below an open root.
targets += library("WhittleOCI", ["WhittleCore"])
targets += library("WhittleDockerfile", ["WhittleCore"])
targets += library("WhittleGraph", ["WhittleCore"])
targets += library(
    "WhittleArchive", ["WhittleCore", "CWhittleSHA256", "CISAL", "CDeflate", "CZstd", "CBzip2", "CLzma"])
targets += library(
    "WhittleFileSystem", ["WhittleCore", "CWhittleLinux", systemPackage], tests: ["WhittleTestKit"])

// Layer 3: decisions (frontend, checks, solver), the search for secrets and for packages, git, HTTP, and the blob store.
targets += library("WhittleFrontend", ["WhittleCore", "WhittleOCI", "WhittleDockerfile", "WhittleGraph"])
targets += library("WhittleLint", ["WhittleCore", "WhittleOCI", "WhittleDockerfile"])
targets += library("WhittleBake", ["WhittleCore", "WhittleOCI", "CWhittleYAML"])
targets += library("WhittleSolver", ["WhittleCore", "WhittleGraph"])
targets += library(
    "WhittleSecrets", ["WhittleCore", "WhittleArchive", "WhittleFileSystem", systemPackage], tests: ["WhittleTestKit"])
targets += library("WhittlePackages", ["WhittleCore", "WhittleOCI", "WhittleArchive", "CSQLite"])
targets += library(
    "WhittleGit", ["WhittleCore", "WhittleArchive", "WhittleFileSystem", systemPackage], tests: ["WhittleTestKit"])
targets += library(
    "WhittlePrograms", ["WhittleCore", "WhittleFileSystem", "CWhittleLinux", systemPackage], tests: ["WhittleTestKit"])
targets += library(
    "WhittleHTTP", ["WhittleCore", "WhittleFileSystem", "CWhittleCurl"], tests: ["WhittleTestKit"])
targets += library(
    "WhittleStore", ["WhittleCore", "WhittleOCI", "WhittleFileSystem", systemPackage], tests: ["WhittleTestKit"])

// Layer 4: snapshots, cache records, registries, and the OCI runtime.
targets += library(
    "WhittleSnapshot",
    ["WhittleCore", "WhittleOCI", "WhittleArchive", "WhittleFileSystem", "WhittleStore", systemPackage],
    tests: ["WhittleTestKit"])
targets += library(
    "WhittleCache", ["WhittleCore", "WhittleOCI", "WhittleFileSystem", "WhittleStore", "CSQLite"])
targets += [.target(name: "CWhittleToml", exclude: ["README.md"])]
targets += library(
    "WhittleRegistry",
    ["WhittleCore", "WhittleOCI", "WhittleFileSystem", "WhittleHTTP", "CWhittleToml", systemPackage],
    tests: ["WhittleTestKit"])
targets += library(
    "WhittleRuntime",
    ["WhittleCore", "WhittleOCI", "WhittleFileSystem", "WhittlePrograms", "CWhittleLinux", systemPackage],
    tests: ["WhittleTestKit"])
targets += library(
    "WhittleGitRemote",
    ["WhittleCore", "WhittleGraph", "WhittleFileSystem", "WhittlePrograms", "WhittleStore", systemPackage],
    tests: ["WhittleTestKit"])
targets += library(
    "WhittleSSH", ["WhittleCore", "WhittleFileSystem", "WhittlePrograms", "CWhittleLinux", systemPackage],
    tests: ["WhittleTestKit"])

// Layer 5: outputs, and the care of the store.
targets += library(
    "WhittleExport",
    [
        "WhittleCore", "WhittleOCI", "WhittleArchive", "WhittleFileSystem", "WhittleStore", "WhittleSnapshot",
        "WhittleHTTP", "WhittleRegistry", systemPackage,
    ],
    tests: ["WhittleTestKit"])

targets += library(
    "WhittleMaintenance",
    [
        "WhittleCore", "WhittleOCI", "WhittleFileSystem", "WhittleStore", "WhittleSnapshot", "WhittleCache",
        systemPackage,
    ],
    tests: ["WhittleTestKit"])

targets += library(
    "WhittleAnalysis",
    [
        "WhittleCore", "WhittleOCI", "WhittleDockerfile", "WhittleGraph", "WhittleArchive", "WhittleFileSystem",
        "WhittleSnapshot", "WhittleRegistry", "WhittlePackages", systemPackage,
    ],
    tests: ["WhittleTestKit"])

targets += library(
    "WhittleRemoteCache",
    [
        "WhittleCore", "WhittleOCI", "WhittleArchive", "WhittleFileSystem", "WhittleHTTP", "WhittleStore",
        "WhittleRegistry", systemPackage,
    ],
    tests: ["WhittleTestKit"])

// Layer 6: the build itself.
targets += library(
    "WhittleEngine",
    [
        "WhittleCore", "WhittleOCI", "WhittleDockerfile", "WhittleGraph", "WhittleArchive", "WhittleFileSystem",
        "WhittleFrontend", "WhittleLint", "WhittleSolver", "WhittleSecrets", "WhittleGit", "WhittleHTTP",
        "WhittleStore", "WhittleSnapshot", "WhittleCache", "WhittleRegistry", "WhittleRuntime", "WhittleExport",
        "WhittleSSH", "WhittleGitRemote", systemPackage,
    ],
    tests: ["WhittleTestKit"])

// Layer 9: the command line. Layer 10: `main` only.
targets += library(
    "WhittleCommands",
    [
        "WhittleCore", "WhittleOCI", "WhittleDockerfile", "WhittleGraph", "WhittleFileSystem", "WhittleFrontend",
        "WhittleLint", "WhittleStore", "WhittleSnapshot", "WhittleCache", "WhittleRegistry", "WhittleRuntime",
        "WhittleSSH",
        "WhittleExport", "WhittleMaintenance", "WhittleAnalysis", "WhittleEngine", "WhittleBake", "WhittlePackages",
        argumentParser,
        systemPackage,
    ],
    tests: ["WhittleTestKit"])
targets += [
    .executableTarget(
        name: "whittle", dependencies: ["WhittleCommands", "CWhittleLinux"], swiftSettings: swiftSettings),
    // For tests only: fixtures, an in-process registry, a fake runtime.
    .target(
        name: "WhittleTestKit", dependencies: ["WhittleCore", "WhittleOCI", "WhittleFileSystem", systemPackage],
        exclude: ["README.md"],
        swiftSettings: swiftSettings),
    // What the package as a whole promises: layers, documentation, the command line as a user meets it.
    .testTarget(name: "WhittleProjectTests", dependencies: ["WhittleTestKit"], swiftSettings: swiftSettings),
]

let package = Package(
    name: "whittle",
    platforms: [.macOS(.v15)],
    // The program, and what another Swift tool would embed. Between themselves the targets share more (`package`).
    products: [
        .executable(name: "whittle", targets: ["whittle"]),
        .library(name: "WhittleCore", targets: ["WhittleCore"]),
        .library(name: "WhittleOCI", targets: ["WhittleOCI"]),
        .library(name: "WhittleDockerfile", targets: ["WhittleDockerfile"]),
        .library(name: "WhittleArchive", targets: ["WhittleArchive"]),
        .library(name: "WhittleGraph", targets: ["WhittleGraph"]),
        .library(name: "WhittleFrontend", targets: ["WhittleFrontend"]),
        .library(name: "WhittleLint", targets: ["WhittleLint"]),
        .library(name: "WhittleSolver", targets: ["WhittleSolver"]),
        .library(name: "WhittleRegistry", targets: ["WhittleRegistry"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    ],
    targets: targets,
    cxxLanguageStandard: .cxx17
)
