public import WhittleCore
internal import WhittleOCI

extension BuildError.Code {
    /// The registry does not take what was pushed.
    public static let pushRefused = BuildError.Code(rawValue: "push-refused")
    /// The registry has no such repository and makes none.
    public static let repositoryUnknown = BuildError.Code(rawValue: "repository-unknown")
}

extension BuildError {
    /// The registry answered a part of a push with a status that is final.
    static func push(
        _ what: String, to endpoint: RegistryEndpoint, status: Int, _ complaint: RegistryComplaint
    ) -> BuildError {
        let place = "\(endpoint)"
        switch status {
        case 401, 403:
            return pushDenied(endpoint, complaint)
        case 400 where !complaint.codes.isDisjoint(with: ["NAME_INVALID", "NAME_UNKNOWN"]),
            404 where complaint.codes.isEmpty || !complaint.codes.isDisjoint(with: ["NAME_INVALID", "NAME_UNKNOWN"]):
            return repositoryUnknown(endpoint, complaint)
        case 405:
            return BuildError(
                .pushRefused, "\(place) takes no pushes\(complaint.sentence)",
                hint: "it is a mirror or a registry for reading; push to another one")
        case 413:
            return BuildError(
                .pushRefused, "\(place) refuses \(what): too large\(complaint.sentence)",
                hint: "raise the request limit of the registry or of the proxy before it (nginx: client_max_body_size)")
        case 400..<500 where status != 429 && status != 408:
            return BuildError(
                .pushRefused, "\(place) refuses \(what) with status \(status)\(complaint.sentence)",
                hint: complaint.codes.contains("MANIFEST_INVALID")
                    ? "the registry may not know the format; try -o type=image,push=true,oci-mediatypes=false" : nil)
        default:
            return registry(place, what: what, status: status, complaint)
        }
    }

    /// Says what the token had to allow.
    static func pushDenied(_ endpoint: RegistryEndpoint, _ complaint: RegistryComplaint) -> BuildError {
        let reference = endpoint.reference
        return BuildError(
            .registryUnauthorized,
            "not allowed to push to \(endpoint)\(complaint.sentence), scope 'repository:\(reference.repository):pull,push'",
            hint: "log in with an account that may push there: whittle login \(reference.registry)")
    }

    private static func repositoryUnknown(_ endpoint: RegistryEndpoint, _ complaint: RegistryComplaint) -> BuildError {
        BuildError(
            .repositoryUnknown,
            "\(endpoint.reference.registry) has no repository "
                + "'\(endpoint.reference.repository)' to push to\(complaint.sentence)",
            hint: "check the name; some registries make no repository by themselves: create it there first")
    }

    /// The registry counts other bytes than the digest says, twice.
    static func blobRefused(_ digest: Digest, by place: String, _ complaint: RegistryComplaint) -> BuildError {
        BuildError(
            .digestMismatch, "\(place) received other bytes than \(digest) stands for\(complaint.sentence)",
            hint: "the blob is damaged here (see 'whittle fsck'), or a proxy on the way changes what is sent")
    }

    /// The registry's answer names another digest than was sent.
    static func registryKeptAnother(
        _ what: String, at place: String, expected: Digest, found: Digest
    ) -> BuildError {
        BuildError(
            .digestMismatch, "\(place) keeps \(what) as another one: expected \(expected), found \(found)",
            hint: "the registry, or a proxy on the way, changes what is pushed")
    }

    /// A blob ended too early while it was sent.
    static func blobCut(_ descriptor: Descriptor, at offset: Int64) -> BuildError {
        BuildError(
            .digestMismatch,
            "blob \(descriptor.digest.short) is damaged: expected \(descriptor.size) bytes, found \(offset)",
            hint: "check the store with 'whittle fsck', then build or pull the image again")
    }
}
