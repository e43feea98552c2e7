internal import WhittleCore
package import WhittleOCI

extension CacheDocument {
    /// The member of an image configuration that holds the cache of the image's own layers: base64 of the records.
    package static let inlineMember = "moby.buildkit.cache.v0"

    /// The cache that an image carries; `nil` where it has none.
    ///
    /// - Parameter layers: those of the image's manifest.
    /// - Throws: `malformed-cache`; also where the configuration and the manifest disagree about the layers.
    package init?(inlineIn configuration: [UInt8], layers: [Descriptor]) throws {
        let root = try CacheConfig.root(of: configuration).config
        guard let text = root[Self.inlineMember]?.string else { return nil }
        guard let decoded = Base64.decode(text) else {
            throw BuildError.malformedCache("'\(Self.inlineMember)' is no base64")
        }
        let diffIDs = root["rootfs"]?["diff_ids"]?.array ?? []
        guard diffIDs.count == layers.count else {
            throw BuildError.malformedCache("the image has \(layers.count) layers and names \(diffIDs.count)")
        }
        let times = (root["history"]?.array ?? []).filter { $0["empty_layer"]?.bool != true }
            .map { $0["created"]?.string.flatMap { Timestamp(rfc3339: $0) } }
        var value: JSONValue = ["records": try CacheConfig.root(of: decoded).config]
        value["layers"] = .array(
            layers.enumerated().map { index, layer in
                ["blob": .string("\(layer.digest)"), "parent": .integer(Int64(index - 1))]
            })
        var config = try CacheConfig(value)
        var descriptors: [Digest: Descriptor] = [:]
        for (index, layer) in layers.enumerated() {
            guard let diffID = diffIDs[index].string.flatMap({ try? Digest(parsing: $0) }) else {
                throw BuildError.malformedCache("a diff ID of the image is no digest")
            }
            let created = times.count == layers.count ? times[index] : nil
            config.layers[index].created = created
            descriptors[layer.digest] = Self.descriptor(
                layer.digest, mediaType: layer.mediaType, size: layer.size, diffID: diffID, created: created)
        }
        self.init(config: config, descriptors: descriptors)
    }

    /// What an image carries for ``init(inlineIn:layers:)``.
    ///
    /// - Parameter config: its layers are those of the image, in order.
    package static func inlineValue(_ config: CacheConfig) -> String {
        Base64.encode(config.recordsJSON.encoded(as: .compact))
    }
}
