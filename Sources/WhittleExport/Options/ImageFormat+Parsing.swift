internal import WhittleCore
internal import WhittleOCI

// The options that every output of an image has.
extension ExporterOptions {
    static let formatKeys = [
        "name", "compression", "compression-level", "force-compression", "oci-mediatypes", "annotation.KEY",
        "annotation-manifest.KEY", "annotation-manifest-descriptor.KEY", "annotation-index.KEY",
        "annotation-index-descriptor.KEY", "rewrite-timestamp",
    ]

    static func format(_ attributes: inout ExporterAttributes) throws(BuildError) -> ImageFormat {
        let compression = try compression(&attributes)
        let usesOCIMediaTypes = try attributes.flag("oci-mediatypes", default: true)
        if !usesOCIMediaTypes, compression.algorithm == .zstd {
            throw BuildError.invalidOutput(
                attributes.output, "'compression=zstd' contradicts 'oci-mediatypes=false'",
                hint: "only OCI's media types have layers of zstd; leave out one of the two")
        }
        let annotations = try annotations(&attributes)
        if !usesOCIMediaTypes, annotations != ImageAnnotations() {
            throw BuildError.invalidOutput(
                attributes.output, "annotations contradict 'oci-mediatypes=false'",
                hint: "only OCI's manifests have annotations; leave out one of the two")
        }
        return ImageFormat(
            names: try names(&attributes), compression: compression, usesOCIMediaTypes: usesOCIMediaTypes,
            annotations: annotations, rewritesTimes: try attributes.flag("rewrite-timestamp", default: false))
    }

    /// `name=A,B` in one quoted field, or several `name=` fields.
    private static func names(_ attributes: inout ExporterAttributes) throws(BuildError) -> [ImageReference] {
        var names: [ImageReference] = []
        for text in attributes.texts("name").flatMap({ $0.split(separator: ",", omittingEmptySubsequences: true) }) {
            let name: ImageReference
            do throws(ImageReference.Invalid) {
                name = try ImageReference(parsing: text)
            } catch {
                throw BuildError.invalidImageReference(String(text), error)
            }
            guard name.digest == nil else {
                throw BuildError.invalidOutput(
                    attributes.output, "the name '\(text)' has a digest",
                    hint: "the digest of an image is known only after it is built; give it a tag")
            }
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    private static func compression(_ attributes: inout ExporterAttributes) throws(BuildError) -> LayerCompression {
        let output = attributes.output
        let algorithm: MediaType.Compression
        switch try attributes.text("compression") {
        case nil: algorithm = .gzip
        case "estargz":
            throw BuildError.unsupportedOutput(
                "compression=estargz", in: output, hint: "gzip, zstd and uncompressed are supported")
        case let text?:
            guard let known = MediaType.Compression(rawValue: text) else {
                let all = MediaType.Compression.allCases.map { $0.rawValue }
                throw BuildError.invalidOutput(
                    output, "there is no compression '\(text)'",
                    hint: NearestName.of(text, among: all).map { "did you mean '\($0)'?" }
                        ?? "use gzip, zstd or uncompressed")
            }
            algorithm = known
        }
        var level: Int?
        if let text = try attributes.text("compression-level") {
            guard algorithm != .uncompressed else {
                throw BuildError.invalidOutput(output, "'compression-level' contradicts 'compression=uncompressed'")
            }
            let levels = algorithm == .gzip ? 0...9 : 0...22
            guard let number = Int(text), levels.contains(number) else {
                throw BuildError.invalidOutput(
                    output,
                    "'compression-level' of \(algorithm.rawValue) must be a number from \(levels.lowerBound) to "
                        + "\(levels.upperBound), found '\(text)'")
            }
            level = number
        }
        return LayerCompression(
            algorithm, level: level, isForced: try attributes.flag("force-compression", default: false))
    }

    /// `annotation[-WHERE][[PLATFORM]].KEY=VALUE`.
    private static func annotations(_ attributes: inout ExporterAttributes) throws(BuildError) -> ImageAnnotations {
        var annotations = ImageAnnotations()
        for (name, value) in try attributes.annotations() {
            let output = attributes.output
            guard let dot = name.firstIndex(of: "."), name.index(after: dot) < name.endIndex else {
                throw BuildError.invalidOutput(output, "'\(name)' names no annotation")
            }
            let key = String(name[name.index(after: dot)...])
            let written = name[..<dot].dropFirst("annotation".count)
            let standard = ImageAnnotations.Place.manifest.rawValue
            let wanted = written.isEmpty || written.hasPrefix("[") ? standard + written : String(written.dropFirst())
            guard written.isEmpty || written.hasPrefix("[") || written.hasPrefix("-"),
                let (place, platform) = ImageAnnotations.place(wanted)
            else {
                let places = ImageAnnotations.Place.allCases.map { "-" + $0.rawValue }
                throw BuildError.invalidOutput(
                    output, "no annotation can be at 'annotation\(written)'",
                    hint: NearestName.of(String(written.prefix { $0 != "[" }), among: places).map {
                        "did you mean 'annotation\($0)'?"
                    }
                        ?? "use 'annotation.\(key)' or 'annotation-manifest-descriptor.\(key)'")
            }
            annotations.set(key, to: value, at: place, platform: platform)
        }
        return annotations
    }
}
