internal import WhittleArchive
package import WhittleCore

extension CacheImport {
    /// Reads one `--cache-from`: `type=TYPE[,KEY=VALUE…]`, or names of images in a registry.
    ///
    /// - Parameter environment: what fills in what is not given for `type=gha` and `type=s3`, as buildx and the AWS tools do.
    /// - Returns: one import for each name.
    /// - Throws: `invalid-cache-option`, `unsupported-cache`.
    package static func parse(
        _ option: String, environment: [String: String]
    ) throws(BuildError) -> [CacheImport] {
        let fields = try CachePlace.fields(option)
        if let names = CachePlace.names(fields) { return names.map { CacheImport(place: .registry($0)) } }
        var attributes = try CacheAttributes(option: option, fields: fields)
        let type = try CachePlace.type(&attributes)
        let place = try CachePlace.parse(type, &attributes, environment, isImport: true)
        guard place != .inline else {
            throw BuildError.invalidCacheOption(
                attributes.option, "an inline cache is in an image",
                hint: "write 'type=registry,ref=IMAGE', which reads the cache of an image as well")
        }
        var result = CacheImport(place: place)
        result.mounts = MountChoice(attributes.text("mounts"))
        if case .gitHub = place {} else { result.timeout = try attributes.duration("timeout") ?? result.timeout }
        // Meant for whoever writes; BuildKit passes over them here.
        for key in ["mode", "ignore-error", "image-manifest", "oci-mediatypes", "compression"] {
            _ = attributes.text(key)
        }
        try attributes.refuseUnknown(type: type)
        return [result]
    }
}

extension CacheExport {
    /// Reads one `--cache-to`; see ``CacheImport/parse(_:environment:)``.
    package static func parse(
        _ option: String, environment: [String: String]
    ) throws(BuildError) -> [CacheExport] {
        let fields = try CachePlace.fields(option)
        if let names = CachePlace.names(fields) { return names.map { CacheExport(place: .registry($0)) } }
        var attributes = try CacheAttributes(option: option, fields: fields)
        let type = try CachePlace.type(&attributes)
        var result = CacheExport(place: try CachePlace.parse(type, &attributes, environment, isImport: false))
        result.mode = try mode(&attributes, isInline: result.place == .inline)
        result.mounts = MountChoice(attributes.text("mounts"))
        result.compression = try compression(&attributes)
        result.forcesCompression = try attributes.flag("force-compression", default: false)
        result.manifestForm = try manifestForm(&attributes)
        if case .gitHub = result.place {} else { result.timeout = try attributes.duration("timeout") }
        // A cache never fails a build here, so it says nothing new.
        _ = try attributes.flag("ignore-error", default: true)
        try attributes.refuseUnknown(type: type)
        return [result]
    }

    private static func mode(_ attributes: inout CacheAttributes, isInline: Bool) throws(BuildError) -> Mode {
        guard let text = attributes.text("mode") else { return .minimal }
        guard let mode = Mode(rawValue: text) else {
            throw BuildError.invalidCacheOption(attributes.option, "'mode' must be min or max, found '\(text)'")
        }
        guard !isInline || mode == .minimal else {
            throw BuildError.invalidCacheOption(
                attributes.option, "an image carries the cache of its own layers only",
                hint: "leave out 'mode=max', or keep the cache beside the image with 'type=registry,ref=…,mode=max'")
        }
        return mode
    }

    private static func compression(_ attributes: inout CacheAttributes) throws(BuildError) -> Compression? {
        let level = try attributes.number("compression-level", in: 0...22)
        switch attributes.text("compression") {
        case nil: return level.map { .gzip(level: min($0, 9)) }
        case "uncompressed": return Compression.none
        case "gzip":
            guard let level else { return .defaultGzip }
            guard Compression.gzipLevels.contains(level) else {
                throw BuildError.invalidCacheOption(attributes.option, "gzip has the levels 0 to 9, found '\(level)'")
            }
            return .gzip(level: level)
        case "zstd": return .zstd(level: level.map { max($0, 1) } ?? 2)
        case "estargz":
            throw BuildError.unsupportedCache(
                attributes.option, "compression=estargz", hint: "gzip, zstd and uncompressed are supported")
        case let text?:
            throw BuildError.invalidCacheOption(
                attributes.option, "there is no compression '\(text)'", hint: "use gzip, zstd or uncompressed")
        }
    }

    private static func manifestForm(_ attributes: inout CacheAttributes) throws(BuildError) -> CacheManifestForm {
        let isOCI = try attributes.flag("oci-mediatypes", default: true)
        guard try attributes.flag("image-manifest", default: isOCI) else { return .index(isDocker: !isOCI) }
        guard isOCI else {
            throw BuildError.invalidCacheOption(
                attributes.option, "'image-manifest' contradicts 'oci-mediatypes=false'", hint: "leave out one of them")
        }
        return .imageManifest
    }
}

extension MountChoice {
    /// `all`, or IDs; several are separated by `;` or commas.
    init(_ text: String?) {
        guard let text else {
            self = .none
            return
        }
        let identifiers = text.split { $0 == ";" || $0 == "," }.map(String.init)
        self = identifiers == ["all"] ? .all : .some(Set(identifiers))
    }
}

extension CachePlace {
    private static let types = ["registry", "local", "inline", "gha", "s3"]

    static func fields(_ option: String) throws(BuildError) -> [String] {
        do throws(CommaSeparated.Fault) {
            return try CommaSeparated.fields(option).map { $0.text }
        } catch {
            throw BuildError.invalidCacheOption(
                option, error.rawValue, hint: "quote the whole of KEY=VALUE where a value has commas")
        }
    }

    /// `NAME[,NAME…]` is short for caches in a registry.
    static func names(_ fields: [String]) -> [RegistryCache]? {
        fields.contains { $0.contains("=") } ? nil : fields.map { RegistryCache(reference: $0) }
    }

    static func type(_ attributes: inout CacheAttributes) throws(BuildError) -> String {
        guard let type = attributes.text("type") else {
            throw BuildError.invalidCacheOption(
                attributes.option, "it does not say its type", hint: "add 'type=registry', for example")
        }
        return type
    }

    static func parse(
        _ type: String, _ attributes: inout CacheAttributes, _ environment: [String: String], isImport: Bool
    ) throws(BuildError) -> CachePlace {
        switch type {
        case "registry":
            var registry = RegistryCache(reference: try attributes.required("ref", "REGISTRY/NAME:TAG"))
            registry.isInsecure = try attributes.flag("registry.insecure", default: false)
            return .registry(registry)
        case "local": return .local(try local(&attributes, isImport: isImport))
        case "inline": return .inline
        case "gha": return .gitHub(try gitHub(&attributes, environment))
        case "s3": return .s3(try s3(&attributes, environment))
        case "azblob":
            throw BuildError.unsupportedCache(
                attributes.option, "Azure Blob Storage",
                hint: "use type=registry with a registry of Azure, or type=s3 with a service that speaks S3")
        default:
            throw BuildError.invalidCacheOption(
                attributes.option, "there is no cache type '\(type)'",
                hint: NearestName.of(type, among: types).map { "did you mean 'type=\($0)'?" }
                    ?? "the types are \(types.joined(separator: ", "))")
        }
    }

    private static func local(_ attributes: inout CacheAttributes, isImport: Bool) throws(BuildError) -> LocalCache {
        var local = LocalCache(directory: try attributes.required(isImport ? "src" : "dest", "DIR"))
        local.tag = attributes.text("tag") ?? local.tag
        if isImport {
            if let text = attributes.text("digest") {
                do throws(Digest.Invalid) { local.digest = try Digest(parsing: text) } catch {
                    throw BuildError.invalidCacheOption(attributes.option, "'digest' is no digest: '\(text)'")
                }
            }
        } else {
            local.resets = try attributes.flag("reset", default: false)
        }
        return local
    }

    private static func gitHub(
        _ attributes: inout CacheAttributes, _ environment: [String: String]
    ) throws(BuildError) -> GitHubCache {
        var cache = GitHubCache()
        cache.scope = attributes.text("scope") ?? cache.scope
        cache.url = attributes.text("url") ?? environment["ACTIONS_CACHE_URL"]
        cache.urlV2 = attributes.text("url_v2") ?? environment["ACTIONS_RESULTS_URL"]
        cache.token = (attributes.text("token") ?? environment["ACTIONS_RUNTIME_TOKEN"]).map { Redacted($0) }
        let isNew = ["1", "true", "TRUE", "True", "t", "T"].contains(environment["ACTIONS_CACHE_SERVICE_V2"] ?? "")
        cache.version = try attributes.number("version", in: 1...2) ?? (isNew && cache.urlV2 != nil ? 2 : 1)
        cache.timeout = try attributes.duration("timeout") ?? cache.timeout
        cache.repository = attributes.text("repository")
        cache.repositoryToken = attributes.text("ghtoken").map { Redacted($0) }
        return cache
    }

    private static func s3(
        _ attributes: inout CacheAttributes, _ environment: [String: String]
    ) throws(BuildError) -> S3Cache {
        func missing(_ key: String, _ variable: String) -> BuildError {
            .invalidCacheOption(
                attributes.option, "it has no '\(key)'", hint: "add '\(key)=NAME', or set $\(variable)")
        }
        guard let bucket = attributes.text("bucket") ?? environment["AWS_BUCKET"] else {
            throw missing("bucket", "AWS_BUCKET")
        }
        guard let region = attributes.text("region") ?? environment["AWS_REGION"] else {
            throw missing("region", "AWS_REGION")
        }
        var cache = S3Cache(bucket: bucket, region: region)
        cache.prefix = attributes.text("prefix") ?? cache.prefix
        cache.manifestsPrefix = attributes.text("manifests_prefix") ?? cache.manifestsPrefix
        cache.blobsPrefix = attributes.text("blobs_prefix") ?? cache.blobsPrefix
        if let names = attributes.text("name") { cache.names = names.split(separator: ";").map(String.init) }
        cache.endpointURL = attributes.text("endpoint_url")
        cache.usesPathStyle = try attributes.flag("use_path_style", default: false)
        cache.accessKeyID = attributes.text("access_key_id") ?? environment["AWS_ACCESS_KEY_ID"]
        cache.secretAccessKey = (attributes.text("secret_access_key") ?? environment["AWS_SECRET_ACCESS_KEY"])
            .map { Redacted($0) }
        cache.sessionToken = (attributes.text("session_token") ?? environment["AWS_SESSION_TOKEN"]).map { Redacted($0) }
        cache.uploadParallelism = try attributes.number("upload_parallelism", in: 1...64) ?? cache.uploadParallelism
        cache.touchRefresh = try attributes.duration("touch_refresh") ?? cache.touchRefresh
        // Settings of Amazon's client library, which has no part here.
        for key in ["disable_accept_encoding", "retry_mode", "retry_max_attempts"] { _ = attributes.text(key) }
        return cache
    }
}
