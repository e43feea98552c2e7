internal import Glibc
package import WhittleCore
package import WhittleGraph

/// What one repository is reached with. Nothing of it is in an argument of a program.
package struct GitAccess: Sendable {
    package struct Setting: Hashable, Sendable {
        let name: String
        let value: String
    }

    /// Settings of git, one of which may hold a credential.
    let settings: Redacted<[Setting]>
    let environment: [String]

    /// - Parameters:
    ///   - secrets: those of the build, see ``authorization(_:_:)``.
    ///   - agent: the socket of an SSH agent; `nil` where there is none.
    ///   - knownHosts: files with the keys of hosts; the keys of hosts that are in none are added to the first.
    /// - Throws: `git-unauthorized` for a secret that cannot be sent.
    package init(
        _ source: GitSource, secrets: [String: Redacted<[UInt8]>], agent: String?, knownHosts: [String]
    ) throws(BuildError) {
        switch source.transport {
        case .http:
            let value = try Self.authorization(source, secrets)
            settings = Redacted(
                value.map {
                    [
                        Setting(
                            name: "http.\(Self.scope(of: source.remote)).extraHeader",
                            value: "Authorization: " + $0.revealed)
                    ]
                } ?? [])
            environment = []
        case .ssh:
            settings = Redacted([])
            environment = [
                "GIT_SSH_COMMAND=" + Self.command(agent: agent, knownHosts: knownHosts), "GIT_SSH_VARIANT=ssh",
            ]
        case .git:
            settings = Redacted([])
            environment = []
        }
    }

    // MARK: HTTP

    /// The value of the header `Authorization`: user and password of the address, else of the secrets
    /// `GIT_AUTH_HEADER.HOST`, `GIT_AUTH_TOKEN.HOST`, `GIT_AUTH_HEADER` and `GIT_AUTH_TOKEN` the first that is given. A header
    /// is sent as it is, a token as the password of `x-access-token`.
    ///
    /// Source: moby/buildkit `source/git`.
    static func authorization(
        _ source: GitSource, _ secrets: [String: Redacted<[UInt8]>]
    ) throws(BuildError) -> Redacted<String>? {
        if let user = source.credentials { return Redacted("Basic " + base64(Array(user.revealed.utf8))) }
        let host = host(of: source.remote)
        for (id, isToken) in [
            ("GIT_AUTH_HEADER.\(host)", false), ("GIT_AUTH_TOKEN.\(host)", true), ("GIT_AUTH_HEADER", false),
            ("GIT_AUTH_TOKEN", true),
        ] {
            guard let secret = secrets[id] else { continue }
            // Files end with a line end that is no part of the token.
            var bytes = secret.revealed[...]
            while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
            guard !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .unusableGitSecret(id) }
            return Redacted(
                isToken
                    ? "basic " + base64(Array("x-access-token:".utf8) + bytes) : String(decoding: bytes, as: UTF8.self))
        }
        return nil
    }

    /// The addresses that the header is for. Of GitHub all, as submodules there are of the same owner; else the repository.
    static func scope(of remote: String) -> String {
        ["https://github.com/", "https://www.github.com/"].first { remote.hasPrefix($0) } ?? remote
    }

    /// With the port, as BuildKit has it.
    static func host(of remote: String) -> String {
        guard let start = remote.firstRange(of: "://")?.upperBound else { return "" }
        return String(remote[start...].prefix { $0 != "/" })
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: SSH

    /// How git is to start ssh. Of the user's own keys and settings none count: what a Dockerfile may use is what `--ssh`
    /// gives. A host whose key is known must have that key; that of a new one is remembered.
    private static func command(agent: String?, knownHosts: [String]) -> String {
        var options = [
            "BatchMode=yes", "IdentityFile=none", "IdentityAgent=\(agent.map(configured) ?? "none")",
            "StrictHostKeyChecking=accept-new", "ConnectTimeout=30", "ServerAliveInterval=15", "ServerAliveCountMax=4",
            "ForwardAgent=no", "PermitLocalCommand=no", "UpdateHostKeys=no",
        ]
        // A path with a quote cannot be written in a setting of ssh.
        let files = knownHosts.filter { !$0.contains("\"") }.map(configured)
        if !files.isEmpty { options.append("UserKnownHostsFile=" + files.joined(separator: " ")) }
        return (["ssh", "-F", "/dev/null"] + options.flatMap { ["-o", $0] }).map(quoted).joined(separator: " ")
    }

    /// A path as a value in ssh's settings, where `%` begins a token.
    private static func configured(_ path: String) -> String {
        "\"" + path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%") + "\""
    }

    /// A word for the shell that git starts ssh with.
    private static func quoted(_ word: String) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
