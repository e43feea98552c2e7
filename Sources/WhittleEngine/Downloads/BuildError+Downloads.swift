internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleHTTP

extension BuildError.Code {
    /// A URL did not give what it names.
    static let downloadFailed = Self(rawValue: "download-failed")
    /// A server does not have what a URL names.
    static let downloadNotFound = Self(rawValue: "download-not-found")
    /// A server wants (other) credentials.
    static let downloadUnauthorized = Self(rawValue: "download-unauthorized")
    /// The certificate of a server is not trusted.
    static let downloadUntrusted = Self(rawValue: "download-untrusted")
    /// A download is larger than the limit.
    static let downloadTooLarge = Self(rawValue: "download-too-large")
    /// A download does not have the digest that it should.
    static let checksumMismatch = Self(rawValue: "checksum-mismatch")
}

/// All take the URL without what may be secret in it.
extension BuildError {
    static func invalidURL(_ url: String) -> BuildError {
        BuildError(
            .downloadFailed, "cannot download '\(printable(url))': it is no URL",
            hint:
                "the form is https://HOST[:PORT]/PATH, with anything but ASCII letters, digits and -._~ percent-encoded"
        )
    }

    /// No exchange came to its end.
    static func download(_ url: String, host: String, _ failure: HTTPFailure) -> BuildError {
        let what = "downloading '\(printable(url))': \(printable(failure.message))"
        switch failure.kind {
        case .untrusted:
            return BuildError(
                .downloadUntrusted, what, hint: "put its authority in /etc/containers/certs.d/\(host)/ca.crt")
        case .hostUnknown, .notConnected, .proxyFailed:
            return BuildError(
                .downloadFailed, what,
                hint: "check the host, the network and the proxy settings (http_proxy, https_proxy, no_proxy)")
        case .cut, .timedOut, .unavailable:
            return BuildError(
                .downloadFailed, what, hint: "the server or the way to it is in trouble; try again")
        case .tlsFailed, .other:
            return BuildError(.downloadFailed, what, hint: nil)
        }
    }

    /// The server answered with a status that is no success.
    ///
    /// - Parameter wasKnown: whether credentials were sent.
    static func download(_ url: String, host: String, status: Int, wasKnown: Bool) -> BuildError {
        let what = "downloading '\(printable(url))': the server answered with status \(status)"
        switch status {
        case 401, 403:
            return BuildError(
                .downloadUnauthorized, what,
                hint: wasKnown
                    ? "the credentials that the build was given do not open it"
                    : "give a token with --secret id=HTTP_AUTH_TOKEN_\(host),env=NAME, or the header Authorization with "
                        + "id=HTTP_AUTH_HEADER_\(host)")
        case 404, 410:
            return BuildError(.downloadNotFound, what, hint: "check the URL")
        default:
            return BuildError(
                .downloadFailed, what, hint: status >= 500 || status == 429 ? "try again later" : nil)
        }
    }

    static func downloadTooLarge(_ url: String, limit: ByteCount) -> BuildError {
        BuildError(
            .downloadTooLarge, "downloading '\(printable(url))': it is larger than the limit of \(limit)",
            hint: "raise --max-layer-size (or $WHITTLE_MAX_LAYER_SIZE) if the size is right")
    }

    static func checksumMismatch(_ url: String, expected: Digest, found: Digest) -> BuildError {
        BuildError(
            .checksumMismatch,
            "downloading '\(printable(url))': --checksum says \(expected), and what came has \(found)",
            hint: "if the change is expected, write the new digest")
    }

    static func unusableCredentials(_ id: String) -> BuildError {
        BuildError(
            .downloadUnauthorized, "the secret '\(printable(id))' cannot be sent in the header Authorization",
            hint: "it has to be one line of printable ASCII characters")
    }
}
