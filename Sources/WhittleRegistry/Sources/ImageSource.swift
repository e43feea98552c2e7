public import WhittleCore
public import WhittleHTTP
public import WhittleOCI

/// Gives the bytes with a digest, or `nil` where the caller does not have them.
public typealias KnownDocuments = @Sendable (Digest) throws -> [UInt8]?

/// An image that can be resolved for a platform and whose blobs can be read: in a registry, or in an OCI layout.
///
/// Safe to use from many tasks at once. Every implementation verifies digest and size of all that it gives.
public protocol ImageSource: Sendable {
    /// The image as messages and history call it.
    var name: String { get }

    /// Finds the manifest and configuration for `platform`.
    ///
    /// A tag is looked up anew with each call.
    ///
    /// - Parameter known: manifests and configurations that the caller has from an earlier build, by digest; what it
    ///   gives is verified and not fetched again. Called on any thread.
    /// - Throws: `image-not-found`, `wrong-platform`, `digest-mismatch`, `not-an-image`, `malformed-document`, and what
    ///   concerns the place alone.
    func resolve(_ platform: Platform, known: KnownDocuments?) async throws -> ResolvedImage

    /// Streams a blob of the image into `sink`.
    ///
    /// The digest is known only after the last byte: what the sink made of the bytes must not be used where this throws.
    ///
    /// - Parameter sink: sees each byte once, in order, on a thread that may block; its error ends the transfer and is
    ///   rethrown.
    /// - Throws: `digest-mismatch` (also for a wrong size), `image-not-found` where the blob is missing.
    func read(_ descriptor: Descriptor, into sink: @escaping ByteSink) async throws
}

extension ImageSource {
    /// Finds the manifest and configuration for `platform`, fetching all.
    public func resolve(_ platform: Platform) async throws -> ResolvedImage {
        try await resolve(platform, known: nil)
    }
}

/// One image of one platform, as found by an ``ImageSource``.
public struct ResolvedImage: Sendable {
    /// The image as the source calls it.
    public let name: String
    /// Where it was found: `docker.io/library/node`, or an OCI layout's path.
    public let place: String
    /// The index that was on the way, if one was; of several the outermost, which is what a tag names.
    public let index: Descriptor?
    /// Type, digest and size of the manifest.
    public let descriptor: Descriptor
    public let manifest: Manifest
    public let manifestBytes: [UInt8]
    public let configuration: ImageConfiguration
    /// The configuration as it came; its digest is `manifest.config.digest`.
    public let configurationBytes: [UInt8]

    /// What the image runs on.
    public var platform: Platform { configuration.platform }

    /// What the name stood for: the index's digest where there is one, else the manifest's.
    public var rootDigest: Digest { (index ?? descriptor).digest }
}
