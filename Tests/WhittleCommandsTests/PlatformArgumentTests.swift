import Testing
import WhittleCore

@testable import WhittleCommands

@Suite("--platform")
struct PlatformArgumentTests {
    @Test(
        "names platforms in their order, each once, however they are written",
        arguments: [
            (["linux/amd64,linux/arm64"], ["linux/amd64", "linux/arm64"]),
            (["linux/arm64", "linux/amd64"], ["linux/arm64", "linux/amd64"]),
            (["linux/arm64/v8,arm64", "aarch64"], ["linux/arm64"]),
            (["linux/arm, linux/arm/v6 ,linux/arm/v7"], ["linux/arm/v7", "linux/arm/v6"]),
            (["linux/amd64/v1,linux/amd64/v2,linux/x86_64"], ["linux/amd64", "linux/amd64/v2"]),
            (["local", "\(Platform.host)"], ["\(Platform.host)"]),
            ([], []),
        ])
    func reads(values: [String], platforms: [String]) throws {
        #expect(try PlatformArgument.platforms(values).map { "\($0)" } == platforms)
    }

    @Test(
        "says which of several is none",
        arguments: [
            ("linux/amd64,linux/armm/v7/x", "'linux/armm/v7/x' is no platform"),
            ("linux/amd64,", "a platform is missing"), ("", "a platform is missing"),
            ("amd46", "'amd46' is no platform"),
        ])
    func refuses(value: String, problem: String) {
        let error = #expect(throws: BuildError.self) { try PlatformArgument.platforms([value]) }
        #expect(error?.message == "reading '--platform \(value)': \(problem)")
        #expect(error?.hint?.contains("OS/ARCH[/VARIANT]") == true)
    }
}
