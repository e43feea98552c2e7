import Testing

@testable import WhittleHTTP

@Suite("WebAddress")
struct WebAddressTests {
    @Test(
        "reads absolute addresses",
        arguments: [
            ("https://example.com", "https://example.com/"),
            ("HTTP://Example.COM:80/a?b#c", "http://example.com:80/a?…"),
            ("https://[::1]:5000/x", "https://[::1]:5000/x"), ("https://a?b=c", "https://a/?…"),
        ])
    func accepts(_ text: String, _ shown: String) { #expect(WebAddress(parsing: text)?.description == shown) }

    @Test(
        "refuses everything else",
        arguments: [
            "", "a", "/a", "ftp://a/", "file:///etc/passwd", "https://", "https:///a", "https://user:pass@host/",
            "https://a b/", "https://host:port/", "https://host:99999/", "https://ho\\st/", "https://hö/",
            "https://[x]/",
            "https://a/\r\nX: y", "https://a%2fb/",
        ])
    func rejects(_ text: String) { #expect(WebAddress(parsing: text) == nil) }

    @Test(
        "resolves what Location headers say",
        arguments: [
            ("https://b/c", "https://b/c"), ("/x?y", "https://a.com:1/x?…"), ("x", "https://a.com:1/v2/x"),
            ("//b/c", "https://b/c"), ("gopher://x", nil), ("a\nb", nil),
        ] as [(String, String?)])
    func resolves(_ location: String, _ expected: String?) {
        #expect(WebAddress(parsing: "https://a.com:1/v2/m?q=/z")?.resolving(location)?.description == expected)
    }

    @Test("credentials stay with scheme, host and port")
    func origin() throws {
        let address = try #require(WebAddress(parsing: "https://a.com/x"))
        for (other, isSame) in [
            ("https://a.com:443/y", true), ("https://A.com/", true), ("http://a.com/", false),
            ("https://a.com:444/", false), ("https://b.a.com/", false),
        ] {
            #expect(address.hasSameOrigin(as: try #require(WebAddress(parsing: other))) == isSame)
        }
    }

    @Test(
        "knows this machine's names",
        arguments: [
            ("localhost", true), ("localhost:5000", true), ("127.0.0.1:5000", true), ("127.1.2.3", true),
            ("[::1]:1", true),
            ("127.evil.com", false), ("127.0.0.1.evil.com", false), ("10.0.0.1", false), ("example.com", false),
            ("notlocalhost", false),
        ])
    func loopback(_ host: String, _ expected: Bool) { #expect(WebAddress.isLoopback(authority: host) == expected) }
}
