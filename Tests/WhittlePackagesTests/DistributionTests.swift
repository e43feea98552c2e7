import Testing

@testable import WhittlePackages

@Suite("Distribution.init(parsing:)")
struct DistributionTests {
    @Test(
        "reads quoted and plain values",
        arguments: [
            ("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n", "debian-12"),
            ("ID=alpine\nVERSION_ID=3.20.3\n", "alpine-3.20.3"),
            ("# a comment\nID='arch'\n", "arch"),
            ("ID=\"rhel\"\r\nVERSION_ID=\"9.4\"\r\n", "rhel-9.4"),
            ("NAME=\"a \\\"b\\\"\"\n", "linux"),
        ])
    func label(text: String, label: String) {
        #expect(Distribution(parsing: Array(text.utf8))?.label == label)
    }

    @Test("has no distribution for what is no such file")
    func none() {
        #expect(Distribution(parsing: Array("hello\n".utf8)) == nil)
    }
}
