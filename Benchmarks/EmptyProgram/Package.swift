// swift-tools-version: 6.2
import PackageDescription

/// A program that does nothing, built as whittle is: what any Swift program pays to start.
let package = Package(
    name: "EmptyProgram",
    targets: [.executableTarget(name: "EmptyProgram")]
)
