internal import Synchronization
public import WhittleCore
public import WhittleOCI

extension ImageTree {
    /// The image for `platform` among the documents.
    ///
    /// - Parameter source: gives the configuration.
    /// - Throws: as ``ImageSource/resolve(_:known:)``.
    public func resolve(_ platform: Platform, from source: any ImageSource) async throws -> ResolvedImage {
        let documents = documents
        let resolution = ImageResolution(
            name: source.name, place: source.name, platform: platform,
            manifest: { descriptor in
                guard let found = documents.first(where: { $0.descriptor.digest == descriptor.digest }) else {
                    throw BuildError.missingBlob(descriptor.digest, from: source.name)
                }
                return found.bytes
            },
            configuration: { try await Self.smallBlob($0, from: source) })
        return try await resolution.resolve(root.descriptor, root.bytes)
    }

    /// The whole of a blob that is small by nature.
    ///
    /// - Throws: `not-an-image` for a larger one.
    public static func smallBlob(_ descriptor: Descriptor, from source: any ImageSource) async throws -> [UInt8] {
        guard descriptor.size <= RegistryClient.configurationLimit else {
            throw BuildError.documentTooLarge(
                "blob \(descriptor.digest.short)", size: descriptor.size, limit: RegistryClient.configurationLimit)
        }
        let contents = Contents()
        try await source.read(descriptor) { bytes in contents.bytes.withLock { $0.append(contentsOf: bytes) } }
        return contents.bytes.withLock { $0 }
    }

    private final class Contents: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }
}
