public import WhittleCore
internal import WhittleFileSystem
internal import WhittleHTTP
internal import WhittleOCI

extension BuildError.Code {
    /// No registry that was asked has the image.
    public static let imageNotFound = BuildError.Code(rawValue: "image-not-found")
    /// The image does not exist for the platform.
    public static let wrongPlatform = BuildError.Code(rawValue: "wrong-platform")
    /// What was received is not what the digest or size promised.
    public static let digestMismatch = BuildError.Code(rawValue: "digest-mismatch")
    /// The reference names something that is no container image.
    public static let notAnImage = BuildError.Code(rawValue: "not-an-image")
    /// The registry wants (other) credentials.
    public static let registryUnauthorized = BuildError.Code(rawValue: "registry-unauthorized")
    /// No connection to the registry came about.
    public static let registryUnreachable = BuildError.Code(rawValue: "registry-unreachable")
    /// The registry's certificate is not trusted.
    public static let registryUntrusted = BuildError.Code(rawValue: "registry-untrusted")
    /// The registry answers that there were too many requests.
    public static let registryRateLimited = BuildError.Code(rawValue: "registry-rate-limited")
    /// The registry failed, or answered something that makes no sense.
    public static let registryFailed = BuildError.Code(rawValue: "registry-failed")
    /// The configuration forbids the registry.
    public static let registryBlocked = BuildError.Code(rawValue: "registry-blocked")
    /// The certificates kept for a registry are incomplete.
    public static let registryCertificates = BuildError.Code(rawValue: "registry-certificates")
    /// A name without a registry may mean several images.
    public static let ambiguousImageName = BuildError.Code(rawValue: "ambiguous-image-name")
    /// A `registries.conf` cannot be read.
    public static let malformedRegistriesConfiguration = BuildError.Code(rawValue: "malformed-registries-conf")
    /// A file with credentials cannot be read.
    public static let malformedCredentials = BuildError.Code(rawValue: "malformed-credentials")
    /// A credential helper did not give credentials.
    public static let credentialHelperFailed = BuildError.Code(rawValue: "credential-helper-failed")
    /// A text names no registry.
    public static let invalidRegistryName = BuildError.Code(rawValue: "invalid-registry-name")
    /// There is no file for credentials.
    public static let noCredentialsFile = BuildError.Code(rawValue: "no-credentials-file")
    /// A directory is no OCI image layout.
    public static let notAnOCILayout = BuildError.Code(rawValue: "not-an-oci-layout")
}

// MARK: The machine and its configuration

extension BuildError {
    static func malformedRegistriesConfiguration(_ place: String?, _ problem: String) -> BuildError {
        BuildError(
            .malformedRegistriesConfiguration,
            "cannot use \(place.map { "'\($0)'" } ?? "the registries configuration"): \(problem)",
            hint: "the format is described in containers-registries.conf(5)")
    }

    static func missingClientKey(certificate: String, key: String) -> BuildError {
        BuildError(
            .registryCertificates, "cannot use the certificate '\(certificate)': there is no '\(key)' beside it",
            hint: "put the private key there, or remove the certificate")
    }

    static func registryBlocked(_ reference: ImageReference, prefix: String) -> BuildError {
        BuildError(
            .registryBlocked, "cannot pull '\(reference.familiarName)': registries.conf blocks '\(prefix)'",
            hint: "use an image from another registry, or remove 'blocked = true'")
    }

    static func ambiguousImageName(_ name: String, registries: [String]) -> BuildError {
        BuildError(
            .ambiguousImageName,
            "'\(name)' may be an image of \(registries.joined(separator: ", ")), and short-name-mode is 'enforcing'",
            hint: "write the registry: '\(registries.first ?? "docker.io")/\(name)'")
    }
}

// MARK: Images

extension BuildError {
    static func imageNotFound(_ reference: ImageReference, tried: [String]) -> BuildError {
        BuildError(
            .imageNotFound, "image '\(reference.familiarName)' not found in \(tried.joined(separator: ", "))",
            hint: "check the name and the tag, and whether the registry has it: skopeo list-tags "
                + "docker://\(reference.name)")
    }

    package static func wrongPlatform(_ image: String, wanted: Platform, available: [Platform]) -> BuildError {
        let names = available.map { "\($0)" }.joined(separator: ", ")
        return BuildError(
            .wrongPlatform,
            "image '\(image)' does not exist for \(wanted)\(names.isEmpty ? "" : ", only for: \(names)")",
            hint: available.first.map { "choose one of these with --platform=\($0), or use another image" },
            cause: AvailablePlatforms(platforms: available))
    }

    static func notAnImage(_ image: String, _ problem: String) -> BuildError {
        BuildError(
            .notAnImage, "'\(image)' is no container image: \(problem)",
            hint: "use the name of an image; charts, signatures and other artifacts cannot be built upon")
    }

    static func inconsistentImage(_ image: String, layers: Int, diffIDs: Int) -> BuildError {
        BuildError(
            .notAnImage,
            "'\(image)' contradicts itself: its manifest has \(layers) layers, its configuration \(diffIDs)",
            hint: "the image is damaged; push it again")
    }

    static func digestMismatch(_ what: String, from place: String, expected: Digest, found: Digest) -> BuildError {
        BuildError(
            .digestMismatch, "\(what) from \(place) is damaged: expected \(expected), received \(found)",
            hint: "the registry, a mirror or a proxy on the way changed the content; try again, or another mirror")
    }

    static func sizeMismatch(_ what: String, from place: String, expected: Int64, found: Int64) -> BuildError {
        BuildError(
            .digestMismatch, "\(what) from \(place) is damaged: expected \(expected) bytes, received \(found)",
            hint: "the registry, a mirror or a proxy on the way changed the content; try again, or another mirror")
    }

    static func documentTooLarge(_ what: String, size: Int64, limit: Int) -> BuildError {
        BuildError(
            .notAnImage, "\(what) has \(size) bytes, at most \(limit) are read",
            hint: "no real image has such a document; check the name")
    }
}

// MARK: Registries

extension BuildError {
    static func registryUnauthorized(_ place: String, registry: String, _ complaint: RegistryComplaint) -> BuildError {
        BuildError(
            .registryUnauthorized, "not allowed to pull from \(place)\(complaint.sentence)",
            hint: "check the name (registries also answer so for what does not exist), or log in: whittle login "
                + "\(registry)")
    }

    static func tokenRefused(
        _ registry: String, _ problem: String, wasAnonymous: Bool = true, status: Int = 0
    ) -> BuildError {
        guard status == 401 || status == 403 else {
            return BuildError(
                .registryFailed, "cannot get a token for \(registry): \(problem)", hint: "try again later")
        }
        return BuildError(
            .registryUnauthorized, "cannot get a token for \(registry): \(problem)",
            hint: wasAnonymous
                ? "log in: whittle login \(registry)"
                : "the stored credentials are wrong or expired; log in again: whittle login \(registry)")
    }

    /// No exchange with the registry came about.
    static func registry(_ place: String, authority: String, _ failure: HTTPFailure) -> BuildError {
        let problem = printable(failure.message)
        switch failure.kind {
        case .untrusted:
            return BuildError(
                .registryUntrusted, "the certificate of \(authority) is not trusted: \(problem)",
                hint: "put its authority in /etc/containers/certs.d/\(authority)/ca.crt, or set 'insecure = true' for "
                    + "it in registries.conf",
                cause: failure)
        case .tlsFailed:
            return BuildError(
                .registryUnreachable, "cannot open an encrypted connection to \(authority): \(problem)",
                hint: "if it speaks plain HTTP, set 'insecure = true' for it in registries.conf", cause: failure)
        case .hostUnknown, .notConnected, .timedOut, .proxyFailed:
            return BuildError(
                .registryUnreachable, "cannot reach the registry \(authority): \(problem)",
                hint: "check the name, the network and the proxy settings (http_proxy, https_proxy, no_proxy), or "
                    + "set a mirror in registries.conf",
                cause: failure)
        case .cut, .other, .unavailable:
            return BuildError(
                .registryFailed, "the transfer from \(place) failed: \(problem)", hint: "try again", cause: failure)
        }
    }

    static func registry(_ place: String, what: String, status: Int, _ complaint: RegistryComplaint) -> BuildError {
        if status == 429 {
            return BuildError(
                .registryRateLimited, "\(place) refuses \(what): too many requests\(complaint.sentence)",
                hint: "wait, log in (limits for known users are higher), or set a mirror in registries.conf")
        }
        return BuildError(
            .registryFailed, "\(place) answered a request for \(what) with status \(status)\(complaint.sentence)",
            hint: status >= 500 ? "the registry is in trouble; try again later" : nil)
    }

    static func missingBlob(_ digest: Digest, from place: String) -> BuildError {
        BuildError(
            .imageNotFound, "\(place) has no blob \(digest), though the image's manifest names it",
            hint: "the image is damaged or was removed in part; push it again")
    }

    static func senselessAnswer(_ place: String, _ problem: String) -> BuildError {
        BuildError(
            .registryFailed, "\(place) answered something that makes no sense: \(problem)",
            hint: "check that the address is that of a registry")
    }
}

// MARK: OCI layouts

extension BuildError {
    static func notAnOCILayout(_ directory: String, _ problem: String) -> BuildError {
        BuildError(
            .notAnOCILayout, "'\(printable(directory))' is no OCI image layout: \(problem)",
            hint: "make one with 'whittle build -o type=oci,tar=false,dest=DIR' or 'skopeo copy docker://IMAGE oci:DIR'"
        )
    }

    static func notInLayout(_ wanted: String, _ directory: String, names: [String]) -> BuildError {
        let list = names.isEmpty ? "nothing with a name" : names.prefix(20).joined(separator: ", ")
        return BuildError(
            .imageNotFound,
            "no image \(wanted) in the OCI layout '\(printable(directory))', which has: \(printable(list))",
            hint: "choose one with oci-layout://\(printable(directory)):TAG or …@DIGEST")
    }
}

/// What an image that is not there for one platform is there for: the cause of `wrong-platform`.
package struct AvailablePlatforms: Error, CustomStringConvertible {
    /// In the order of the index.
    package let platforms: [Platform]
    /// The message says it already.
    package var description: String { "" }
}
