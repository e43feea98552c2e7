import Synchronization
import Testing
import WhittleCore
import WhittleHTTP
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

/// What the tests of this target share: a client that does not wait, and sinks that collect.
struct RegistryFixture {
    let settings: RegistrySettings
    let client: RegistryClient
    let waits = Waits()

    /// The waits between attempts, none of which was waited.
    final class Waits: Sendable {
        private let durations = Mutex<[Duration]>([])
        private let offset = Mutex<Duration>(.zero)
        var all: [Duration] { durations.withLock { $0 } }
        func note(_ duration: Duration) { durations.withLock { $0.append(duration) } }
        var passed: Duration { offset.withLock { $0 } }
        func pass(_ duration: Duration) { offset.withLock { $0 += duration } }
    }

    init(
        configuration: String = "", files: [String] = [], certificates: [String] = [],
        transport: (any HTTPTransport)? = nil
    ) throws {
        var registries = RegistriesConfiguration()
        try RegistriesConfigurationParser(Array(configuration.utf8), path: "registries.conf").apply(to: &registries)
        settings = RegistrySettings(
            registries: registries, credentials: CredentialStore(files: files), certificateDirectories: certificates)
        let start = ContinuousClock.now
        let time = HTTPTime(
            now: { [waits] in start + waits.passed }, date: { Timestamp(seconds: 1_700_000_000) },
            sleep: { [waits] in
                try Task.checkCancellation()
                waits.note($0)
            }, jitter: { 0.999 })
        client = RegistryClient(
            settings: settings, transport: transport ?? CurlTransport(userAgent: "whittle-tests"), time: time)
    }

    func source(_ name: String) throws -> RegistryImageSource {
        try client.source(for: ImageReference(parsing: name))
    }
}

/// A sink that keeps what it gets.
final class Collector: Sendable {
    private let contents = Mutex<[UInt8]>([])
    var bytes: [UInt8] { contents.withLock { $0 } }
    var sink: ByteSink {
        { bytes in self.contents.withLock { $0.append(contentsOf: bytes) } }
    }
}

/// Bytes that look like a compressed layer: the same for the same count.
func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}

let amd64 = Platform(os: "linux", architecture: "amd64")
let arm64 = Platform(os: "linux", architecture: "arm64")
