public import WhittleCore
internal import WhittleOCI

extension ExporterOptions {
    /// Reads one value of `--output`: `type=TYPE[,KEY=VALUE…]`, `DIR` for `type=local,dest=DIR`, or `-` for
    /// `type=tar,dest=-`.
    ///
    /// Keys and meanings are BuildKit's; fields are split as encoding/csv does, so a value with commas is quoted
    /// together with its key: `"name=app:1,app:2"`. Where a value cannot mean what it says (a key given twice, a name
    /// that would be lost), this is an error instead of a silent choice.
    ///
    /// - Throws: `invalid-output`, `invalid-image-reference`, `unsupported-output`.
    public init(parsing output: String) throws(BuildError) {
        let fields: [String]
        do throws(CommaSeparated.Fault) {
            fields = try CommaSeparated.fields(output).map { $0.text }
        } catch {
            throw BuildError.invalidOutput(
                output, error.rawValue, hint: "quote the whole of KEY=VALUE where a value has commas: \"name=a,b\"")
        }
        if fields == [output], !output.hasPrefix("type=") {
            if output == "-" {
                self = .tar(TarOptions(destination: .standardOutput))
                return
            }
            guard !Self.looksLikeOption(output) else { throw BuildError.missingOutputType(in: output) }
            self = .local(LocalOptions(directory: output))
            return
        }
        var attributes = try ExporterAttributes(output: output, fields: fields)
        guard let type = try attributes.text("type"), !type.isEmpty else {
            throw BuildError.missingOutputType(in: output)
        }
        switch type {
        case "image": self = .image(try Self.image(type, &attributes))
        case "oci": self = .oci(try Self.layout("oci", &attributes))
        case "docker": self = .docker(try Self.layout("docker", &attributes))
        case "local": self = .local(try Self.local(&attributes))
        case "tar":
            self = .tar(
                TarOptions(destination: Self.stream(try attributes.text("dest")), split: try Self.split(&attributes)))
            try attributes.refuseUnknown(type: type, known: ["dest", "platform-split"], planned: Self.plannedForTrees)
        case "cacheonly":
            self = .cacheOnly
            try attributes.refuseUnknown(type: type, known: [], planned: [])
        case "registry": self = .image(try Self.image(type, &attributes))
        default: throw BuildError.unknownOutputType(type, in: output)
        }
    }

    /// `dest=out.tar` or `tpye=oci` would be the name of a directory in buildx; nobody means that.
    private static func looksLikeOption(_ output: String) -> Bool {
        guard let equals = output.firstIndex(of: "=") else { return false }
        let key = String(output[..<equals])
        return ["dest", "name", "push", "tar", "compression"].contains(key.lowercased())
            || NearestName.of(key, among: ["type"]) != nil
    }

    /// Options of BuildKit that this version knows and does not do.
    private static let plannedForImages = [
        "oci-artifact", "source-date-epoch", "attestation-inline", "prefer-nondist-layers", "dangling-name-prefix",
    ]
    private static let plannedForTrees = ["source-date-epoch", "attestation-prefix", "mode"]

    /// `type=registry` is `type=image,push=true`, as in buildx.
    private static func image(
        _ type: String, _ attributes: inout ExporterAttributes
    ) throws(BuildError) -> ImageStoreOptions {
        let output = attributes.output
        let pushes = try attributes.flag("push", default: type == "registry")
        guard pushes || type == "image" else {
            throw BuildError.invalidOutput(
                output, "'push=false' contradicts 'type=registry'", hint: "type=image keeps the image in the store")
        }
        // Every layer of the store is unpacked when it is first used.
        _ = try attributes.flag("unpack", default: true)
        let format = try format(&attributes)
        var options = ImageStoreOptions(format: format)
        options.stores = try attributes.flag("store", default: true)
        options.addsCanonicalNames = try attributes.flag("name-canonical", default: false)
        let isByDigest = try attributes.flag("push-by-digest", default: false)
        let isInsecure = try attributes.flag("registry.insecure", default: false)
        try attributes.refuseUnknown(
            type: type,
            known: formatKeys + [
                "push", "store", "unpack", "push-by-digest", "name-canonical", "registry.insecure",
            ], planned: plannedForImages)
        if pushes { options.push = ImagePushOptions(isByDigest: isByDigest, isInsecure: isInsecure) }
        guard options.stores || pushes else {
            throw BuildError.invalidOutput(
                output, "the image would go nowhere: 'store=false' and no push",
                hint: "add 'push=true', or build with type=cacheonly")
        }
        guard pushes || !isByDigest else {
            throw BuildError.invalidOutput(
                output, "'push-by-digest' has no effect without a push", hint: "add 'push=true'")
        }
        return options
    }

    private static func layout(
        _ type: String, _ attributes: inout ExporterAttributes
    ) throws(BuildError) -> ImageLayoutOptions {
        let format = try format(&attributes)
        let path = try attributes.text("dest")
        let destination: ImageLayoutOptions.Destination
        if try attributes.flag("tar", default: true) {
            // As with buildx: an image for docker goes to docker, unless it is sent elsewhere.
            destination = type == "docker" && path == nil ? .daemon(.standard) : .archive(stream(path))
        } else {
            guard let path, !path.isEmpty else {
                throw BuildError.outputNeedsDestination(attributes.output, type: type)
            }
            guard path != "-" else {
                throw BuildError.invalidOutput(
                    attributes.output, "a directory cannot be written to standard output",
                    hint: "leave out 'tar=false', or name a directory with 'dest=DIR'")
            }
            destination = .directory(path: path)
        }
        try attributes.refuseUnknown(type: type, known: formatKeys + ["dest", "tar"], planned: plannedForImages)
        return ImageLayoutOptions(format: format, destination: destination)
    }

    private static func local(_ attributes: inout ExporterAttributes) throws(BuildError) -> LocalOptions {
        guard let path = try attributes.text("dest"), !path.isEmpty else {
            throw BuildError.outputNeedsDestination(attributes.output, type: "local")
        }
        guard path != "-" else {
            throw BuildError.invalidOutput(
                attributes.output, "a directory cannot be written to standard output",
                hint: "use 'type=tar' for one stream, or name a directory with 'dest=DIR'")
        }
        if let mode = try attributes.text("mode"), mode != "copy" {
            throw mode == "delete"
                ? BuildError.unsupportedOutput("mode=delete", in: attributes.output)
                : BuildError.invalidOutput(attributes.output, "'mode' must be copy, found '\(mode)'")
        }
        let split = try split(&attributes)
        try attributes.refuseUnknown(
            type: "local", known: ["dest", "mode", "platform-split"], planned: plannedForTrees)
        return LocalOptions(directory: path, split: split)
    }

    private static func split(_ attributes: inout ExporterAttributes) throws(BuildError) -> PlatformSplit {
        let isGiven = try attributes.text("platform-split") != nil
        return PlatformSplit(isGiven ? try attributes.flag("platform-split", default: true) : nil)
    }

    private static func stream(_ path: String?) -> StreamDestination {
        guard let path, !path.isEmpty, path != "-" else { return .standardOutput }
        return .file(path: path)
    }
}

extension ExporterAttributes {
    /// Throws for the first key that nobody asked for: one of `planned` exists in BuildKit only.
    func refuseUnknown(type: String, known: [String], planned: [String]) throws(BuildError) {
        guard let key = unknown.first else { return }
        if planned.contains(key) { throw BuildError.unsupportedOutput("'\(key)'", in: output) }
        throw BuildError.unknownOutputKey(key, type: type, known: known, in: output)
    }
}
