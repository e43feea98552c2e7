import Testing
import WhittleCore

@Suite("Values")
struct ValueTests {
    @Test(
        "sizes print with three significant figures",
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "1kB"), (1234, "1.23kB"), (7_110_000, "7.11MB"), (253_660_000, "254MB"),
            (1_050_000_000, "1.05GB"),
        ])
    func sizes(bytes: Int, text: String) {
        #expect(ByteCount(bytes).description == text)
    }

    @Test(
        "sizes parse with binary units",
        arguments: [("64m", 67_108_864), ("1.5KiB", 1536), ("12", 12), ("2gb", 2_147_483_648)])
    func parsedSizes(text: String, bytes: Int64) {
        #expect(ByteCount(parsing: text)?.bytes == bytes)
    }

    @Test("malformed sizes are refused", arguments: ["", "m", "-1", "1x", "1.2.3"])
    func refusedSizes(text: String) {
        #expect(ByteCount(parsing: text) == nil)
    }

    @Test(
        "platforms are normalised",
        arguments: [
            ("linux/x86_64", "linux/amd64"), ("linux/arm64/v8", "linux/arm64"), ("LINUX/ARMHF", "linux/arm/v7"),
            ("linux/arm/7", "linux/arm/v7"), ("windows/amd64", "windows/amd64"), ("aarch64", "linux/arm64"),
        ])
    func platforms(text: String, normal: String) {
        #expect(Platform(parsing: text, default: Platform(os: "linux", architecture: "amd64"))?.description == normal)
    }

    @Test("malformed platforms are refused", arguments: ["", "linux/", "a/b/c/d", "linux/am d64", "nonsense"])
    func refusedPlatforms(text: String) {
        #expect(Platform(parsing: text) == nil)
    }

    @Test(
        "moments survive RFC 3339",
        arguments: [
            (0, 0, "1970-01-01T00:00:00Z"), (1_700_000_000, 500_000_000, "2023-11-14T22:13:20.5Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"), (-1, 0, "1969-12-31T23:59:59Z"),
        ])
    func moments(seconds: Int64, nanoseconds: Int32, text: String) {
        let moment = Timestamp(seconds: seconds, nanoseconds: nanoseconds)
        #expect(moment.rfc3339 == text)
        #expect(Timestamp(rfc3339: text) == moment)
    }

    @Test("an offset is taken into account")
    func offset() {
        #expect(Timestamp(rfc3339: "2023-11-15T00:13:20+02:00")?.seconds == 1_700_000_000)
    }

    @Test("a redacted value shows nothing")
    func redacted() {
        let secret = Redacted("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect("\(secret)" == "[redacted]")
        #expect(!dumped.contains("hunter2"))
        #expect(secret.revealed == "hunter2")
    }

    @Test(
        "the nearest name is the one meant",
        arguments: [("buildr", "builder"), ("FORM", "from"), ("cpoy", "copy"), ("zzz", nil), ("", nil)])
    func nearest(name: String, meant: String?) {
        #expect(NearestName.of(name, among: ["from", "copy", "builder", "run"]) == meant)
    }
}

@Suite("Platforms as people write them")
struct PlatformTextTests {
    @Test(
        "are normalised as docker does",
        arguments: [
            ("linux/arm", "linux/arm/v7"), ("arm", "linux/arm/v7"), ("linux/arm/7", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"), ("linux/armhf", "linux/arm/v7"), ("linux/armel", "linux/arm/v6"),
            ("linux/arm64/v8", "linux/arm64"), ("linux/aarch64", "linux/arm64"), ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"), ("linux/amd64/v3", "linux/amd64/v3"), ("linux/i386", "linux/386"),
        ])
    func normalised(text: String, expected: String) {
        #expect(Platform(parsing: text)?.description == expected)
    }
}
