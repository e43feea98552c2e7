internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleRegistry

/// Where a command is to put an image.
enum ImagePlace: Hashable, Sendable {
    case store(ImageReference)
    case registry(ImageReference)
    case layout(directory: String, tag: String?)
    case archive(path: String, tag: String?)
    case dockerArchive(path: String, names: [ImageReference])

    /// Reads `docker://NAME`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `store:NAME` or a plain
    /// name, which is one of the store. The forms are skopeo's.
    ///
    /// - Throws: `invalid-image-reference`, `invalid-image-place`.
    init(parsing text: String) throws {
        func rest(_ scheme: String) -> String? { text.hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : nil }
        if let name = rest("docker://") {
            self = .registry(try ImagePulling.reference(name))
        } else if let place = rest("oci-archive:") {
            let (path, tag) = try Self.split(place, of: text)
            self = .archive(path: path, tag: tag)
        } else if let place = rest("docker-archive:") {
            let (path, name) = try Self.split(place, of: text)
            self = .dockerArchive(path: path, names: try name.map { [try ImagePulling.reference($0)] } ?? [])
        } else if let place = rest("oci-layout://") ?? rest("oci:") {
            let (directory, tag) = try Self.split(place, of: text)
            self = .layout(directory: directory, tag: tag)
        } else {
            self = .store(try Self.name(rest("store:") ?? text, of: text))
        }
    }

    /// A path up to the first colon behind it, and what follows.
    private static func split(_ place: String, of text: String) throws -> (String, String?) {
        // Behind a tag's colon there may be slashes: a name is a tag too.
        let colon = place.firstIndex(of: ":") ?? place.endIndex
        let path = String(place[..<colon])
        let tag = String(place[colon...].dropFirst())
        guard !path.isEmpty else { throw BuildError.invalidPlace(text, "no path is given") }
        guard colon == place.endIndex || !tag.isEmpty else { throw BuildError.invalidPlace(text, "the name is empty") }
        return (path, tag.isEmpty ? nil : tag)
    }

    private static func name(_ name: String, of text: String) throws -> ImageReference {
        if ["/", "./", "../"].contains(where: { name.hasPrefix($0) }) {
            throw BuildError.invalidPlace(text, "it is a path, and does not say what is to be written there")
        }
        let schemes = ["dir", "docker-daemon", "containers-storage", "ostree", "tarball", "sif", "http", "https"]
        if let scheme = schemes.first(where: { name.hasPrefix($0 + ":") }) {
            throw BuildError.invalidPlace(text, "'\(scheme):' is not supported")
        }
        return try ImagePulling.reference(name)
    }
}

extension BuildError.Code {
    /// A text says no place for an image.
    static let invalidImagePlace = Self(rawValue: "invalid-image-place")
}

extension BuildError {
    static func invalidPlace(_ text: String, _ problem: String) -> BuildError {
        BuildError(
            .invalidImagePlace, "'\(printable(String(text.prefix(200))))' is no place for an image: \(problem)",
            hint:
                "one of docker://NAME, oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], store:NAME"
        )
    }
}
