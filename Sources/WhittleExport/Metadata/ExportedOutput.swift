package import WhittleCore
internal import WhittleOCI

/// What one output came to.
package struct ExportedOutput: Sendable {
    /// The addresses of the image, for an output that is one.
    package var image: ExportResult?
    /// The bytes of an image's blobs, of an archive, or of the files in a directory; `nil` where nothing was written.
    package var size: ByteCount?
}

extension ExporterOptions {
    /// What a person calls the output: `image docker.io/library/app:latest`, `oci app.tar`, `local out`.
    package var summary: String {
        let place: String =
            switch self {
            case .image(let options): options.format.names.map(\.description).joined(separator: ", ")
            case .oci(let options), .docker(let options):
                switch options.destination {
                case .archive(let destination): destination.shown
                case .directory(let path): path
                case .daemon(let socket): socket.path
                }
            case .local(let options): options.directory
            case .tar(let options): options.destination.shown
            case .cacheOnly: ""
            }
        return place.isEmpty ? type : "\(type) \(place)"
    }
}
