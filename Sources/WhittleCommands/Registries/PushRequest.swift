internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI
internal import WhittleStore

/// An image of the store and the names that it is pushed under.
struct PushRequest: Sendable {
    /// A manifest or index.
    let target: Descriptor
    /// Where it goes; one without a tag by its digest alone.
    private(set) var names: [ImageReference]

    init(_ target: Descriptor, _ name: ImageReference) {
        self.target = target
        names = [name]
    }

    var options: ImageStoreOptions {
        var options = ImageStoreOptions(format: ImageFormat(names: names))
        options.push = ImagePushOptions(isByDigest: names.allSatisfy { $0.tag == nil })
        return options
    }

    /// What docker prints at the end of a push: a line for each name.
    var lines: [String] {
        names.map { "\($0.tag ?? target.digest.short): digest: \(target.digest) size: \(target.size)" }
    }

    /// What is to be pushed.
    ///
    /// - Throws: `unknown-image`, `ambiguous-image`, `invalid-image-reference`, `invalid-argument`.
    static func all(
        _ image: String, to destination: String?, allTags: Bool, in use: StoreUse
    ) throws -> [PushRequest] {
        let reader = ImageStoreReader(names: use.names, blobs: use.blobs)
        if allTags { return try tags(of: image, use) }
        let found = try reader.find(image)
        guard let destination else {
            // Found by an ID that looks like no name, or by one that is a name of nothing.
            guard let name = found.name, (try? ImageReference(parsing: image))?.name == name.name else {
                throw BuildError.invalidArgument(
                    "push", image, "an image ID does not say where the image goes",
                    hint: "add the destination: whittle push \(image) REGISTRY/NAME:TAG")
            }
            return [PushRequest(found.target, name)]
        }
        return [PushRequest(found.target, try name(destination))]
    }

    private static func tags(of image: String, _ use: StoreUse) throws -> [PushRequest] {
        let repository = try reference(image)
        let last = image.split(separator: "/").last ?? ""
        guard !last.contains(":"), !last.contains("@") else {
            throw BuildError.invalidArgument(
                "push --all-tags", image, "it has a tag or digest", hint: "give the repository alone")
        }
        let entries = try use.names.entries()
        let found = entries.filter { $0.name.name == repository.name && $0.name.tag != nil && $0.name.digest == nil }
        guard !found.isEmpty else { throw ImageStoreReader.unknown(image, among: entries.map(\.name)) }
        var requests: [PushRequest] = []
        for entry in found {
            if let known = requests.firstIndex(where: { $0.target.digest == entry.descriptor.digest }) {
                requests[known].names.append(entry.name)
            } else {
                requests.append(PushRequest(entry.descriptor, entry.name))
            }
        }
        return requests
    }

    private static func name(_ destination: String) throws(BuildError) -> ImageReference {
        let text = destination.hasPrefix("docker://") ? String(destination.dropFirst(9)) : destination
        for transport in ["oci:", "oci-archive:", "docker-archive:", "docker-daemon:", "dir:", "containers-storage:"]
        where text.hasPrefix(transport) {
            throw .invalidArgument(
                "push", destination, "it is no registry", hint: "'whittle save' writes archives")
        }
        let name = try reference(text)
        guard name.digest == nil else {
            throw .invalidArgument(
                "push", destination, "the destination has a digest, and the image's own counts",
                hint: "leave it out, or give a tag")
        }
        return name
    }

    private static func reference(_ text: String) throws(BuildError) -> ImageReference {
        do throws(ImageReference.Invalid) { return try ImageReference(parsing: text) } catch {
            throw .invalidImageReference(text, error)
        }
    }
}
