internal import Glibc
internal import WhittleCore

/// A value of `--add-host`: `NAME:ADDRESS` or `NAME=ADDRESS`, an IPv6 address with or without brackets.
struct HostArgument: Hashable {
    let name: String
    let address: String

    /// What `host-gateway` stands for. Docker gives the address of its bridge; here steps and containers are on the network
    /// of this machine, which is then the loopback.
    static let gateway = "127.0.0.1"

    /// - Throws: `invalid-argument`.
    init(parsing text: String) throws(BuildError) {
        // An IPv6 address has colons of its own.
        guard let mark = text.firstIndex(where: { $0 == "=" }) ?? text.firstIndex(where: { $0 == ":" }),
            mark != text.startIndex, text.index(after: mark) != text.endIndex
        else {
            throw .invalidArgument("--add-host", text, "it has no address", hint: "the form is NAME:ADDRESS")
        }
        name = String(text[..<mark])
        guard !name.contains(where: { $0.isWhitespace || $0 == "#" }) else {
            throw .invalidArgument("--add-host", text, "'\(name)' is no host name", hint: "the form is NAME:ADDRESS")
        }
        var written = String(text[text.index(after: mark)...])
        if written.hasPrefix("["), written.hasSuffix("]") { written = String(written.dropFirst().dropLast()) }
        guard written == "host-gateway" || Self.isAddress(written) else {
            throw .invalidArgument(
                "--add-host", text, "'\(written)' is no address",
                hint: NearestName.of(written, among: ["host-gateway"]).map { "did you mean '\($0)'?" }
                    ?? "write an IPv4 or IPv6 address, or host-gateway")
        }
        address = written == "host-gateway" ? Self.gateway : written
    }

    private static func isAddress(_ text: String) -> Bool {
        var buffer = in6_addr()
        return inet_pton(AF_INET, text, &buffer) == 1 || inet_pton(AF_INET6, text, &buffer) == 1
    }
}
