internal import WhittleHTTP
public import WhittleOCI

/// One place where an image may be, after mirrors and rewritten prefixes.
public struct RegistryEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// The image as this place calls it.
    public let reference: ImageReference
    /// Whether untrusted certificates and plain HTTP are allowed; `nil` leaves it to the host: allowed on this machine.
    public let isInsecure: Bool?
    /// Not the registry that the image's name says.
    public let isMirror: Bool

    public init(reference: ImageReference, isInsecure: Bool?, isMirror: Bool) {
        self.reference = reference
        self.isInsecure = isInsecure
        self.isMirror = isMirror
    }

    /// `REGISTRY/REPOSITORY`.
    public var description: String { reference.name }

    /// `HOST[:PORT]` to talk to: Docker Hub's registry is not at the address that its names say.
    var authority: String {
        reference.registry == ImageReference.defaultRegistry ? "registry-1.docker.io" : reference.registry
    }

    /// Docker's rule: this machine may do without certificates.
    var allowsInsecure: Bool { isInsecure ?? WebAddress.isLoopback(authority: authority) }
}
