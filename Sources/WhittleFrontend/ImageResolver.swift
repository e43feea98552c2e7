public import WhittleCore
public import WhittleOCI

/// Finds the image that a name means, with its configuration; fetching its layers is the engine's work.
///
/// Calls for different images run side by side. Where nothing is found, or nothing for the platform, the error is a
/// `BuildError`; the frontend adds the instruction that asked and, where one is close, the stage that was probably meant.
public protocol ImageResolver: Sendable {
    /// Resolves a name in a registry or in the local store.
    func resolve(_ reference: ImageReference, platform: Platform) async throws -> BaseImage

    /// Resolves an image of an OCI image layout on disk.
    func resolve(_ layout: LayoutReference, platform: Platform) async throws -> BaseImage
}

/// An image of an OCI image layout: `--build-context NAME=oci-layout://PATH[:TAG][@DIGEST]`.
public struct LayoutReference: Hashable, Sendable {
    /// The layout's directory as the user named it.
    public let path: String
    /// `nil` where none was given; docker then takes `latest`.
    public let tag: String?
    public let digest: Digest?

    public init(path: String, tag: String? = nil, digest: Digest? = nil) {
        self.path = path
        self.tag = tag
        self.digest = digest
    }
}

extension LayoutReference: CustomStringConvertible {
    /// `oci-layout://PATH[:TAG][@DIGEST]`.
    public var description: String {
        "oci-layout://\(path)\(tag.map { ":" + $0 } ?? "")\(digest.map { "@\($0)" } ?? "")"
    }
}

/// Knows no image: in the place of each stands one without files and variables. For what only reads a Dockerfile.
public struct UnknownImages: ImageResolver {
    public init() {}

    public func resolve(_ reference: ImageReference, platform: Platform) async throws -> BaseImage {
        .unknown("\(reference)", platform)
    }

    public func resolve(_ layout: LayoutReference, platform: Platform) async throws -> BaseImage {
        .unknown("\(layout)", platform)
    }
}

extension BaseImage {
    /// An image of which nothing is known but its name.
    public static func unknown(_ reference: String, _ platform: Platform) -> BaseImage {
        BaseImage(
            reference: reference, manifestDigest: unknownDigest, configuration: ImageConfiguration(platform: platform))
    }

    /// Whether the image stands for one that is not known.
    public var isUnknown: Bool { manifestDigest == Self.unknownDigest }

    private static let unknownDigest = Digest(hashing: "an image that is not known")
}

/// A resolved base image: what identifies its contents and what its configuration hands down.
public struct BaseImage: Hashable, Sendable {
    /// The name as people see it and as the engine finds the image again: `docker.io/library/node:16`.
    public let reference: String
    /// Digest of the platform's manifest.
    public let manifestDigest: Digest
    public let configuration: ImageConfiguration

    public init(reference: String, manifestDigest: Digest, configuration: ImageConfiguration) {
        self.reference = reference
        self.manifestDigest = manifestDigest
        self.configuration = configuration
    }
}
