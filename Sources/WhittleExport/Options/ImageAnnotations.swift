public import WhittleCore
internal import WhittleOCI

/// Annotations that a build puts on an image.
public struct ImageAnnotations: Hashable, Sendable {
    /// In the manifest.
    public var manifest: [String: String]
    /// On the descriptor that refers to the manifest.
    public var manifestDescriptor: [String: String]
    /// In the index, where there is one.
    public var index: [String: String] = [:]
    /// On the descriptor that refers to the index.
    public var indexDescriptor: [String: String] = [:]
    /// Those of manifests, and of descriptors of manifests, that are for one platform only.
    private(set) var ofPlatforms: [Platform: [Place: [String: String]]] = [:]

    public init(manifest: [String: String] = [:], manifestDescriptor: [String: String] = [:]) {
        self.manifest = manifest
        self.manifestDescriptor = manifestDescriptor
    }

    /// Where an annotation can be, under the names of BuildKit and buildx.
    public enum Place: String, CaseIterable, Hashable, Sendable {
        case manifest
        case manifestDescriptor = "manifest-descriptor"
        case index
        case indexDescriptor = "index-descriptor"
    }

    /// The platforms that some are only for.
    public var platforms: Set<Platform> { Set(ofPlatforms.keys) }

    /// Whether some need an index.
    var needIndex: Bool { !index.isEmpty || !indexDescriptor.isEmpty }

    /// Those at `place` of an image for `platform`.
    func all(at place: Place, for platform: Platform) -> [String: String] {
        let general =
            switch place {
            case .manifest: manifest
            case .manifestDescriptor: manifestDescriptor
            case .index: index
            case .indexDescriptor: indexDescriptor
            }
        return general.merging(ofPlatforms[platform]?[place] ?? [:]) { _, special in special }
    }

    /// Adds one. An index is for all platforms, so a platform does not matter there.
    public mutating func set(_ key: String, to value: String, at place: Place, platform: Platform? = nil) {
        switch (place, platform) {
        case (.manifest, nil): manifest[key] = value
        case (.manifestDescriptor, nil): manifestDescriptor[key] = value
        case (.index, _): index[key] = value
        case (.indexDescriptor, _): indexDescriptor[key] = value
        case (_, let platform?): ofPlatforms[platform, default: [:]][place, default: [:]][key] = value
        }
    }

    /// Adds those of `other`, which win.
    mutating func merge(_ other: ImageAnnotations) {
        manifest.merge(other.manifest) { _, new in new }
        manifestDescriptor.merge(other.manifestDescriptor) { _, new in new }
        index.merge(other.index) { _, new in new }
        indexDescriptor.merge(other.indexDescriptor) { _, new in new }
        for (platform, places) in other.ofPlatforms {
            for (place, values) in places {
                ofPlatforms[platform, default: [:]][place, default: [:]].merge(values) { _, new in new }
            }
        }
    }

    /// Reads `PLACE` or `PLACE[PLATFORM]`; `nil` for another text.
    static func place(_ text: some StringProtocol) -> (place: Place, platform: Platform?)? {
        guard let bracket = text.firstIndex(of: "[") else { return Place(rawValue: String(text)).map { ($0, nil) } }
        guard text.hasSuffix("]"), let place = Place(rawValue: String(text[..<bracket])),
            let platform = Platform(parsing: text[text.index(after: bracket)...].dropLast())
        else { return nil }
        return (place, platform)
    }
}

extension ImageAnnotations {
    /// Reads the values of `--annotation`: `[PLACE[[PLATFORM]][,PLACE…]:]KEY=VALUE`, as buildx takes them; without a place
    /// it is in the manifest.
    ///
    /// - Throws: `invalid-annotation`.
    public init(parsing values: [String]) throws(BuildError) {
        self.init()
        for value in values {
            guard let equals = value.firstIndex(of: "="), equals != value.startIndex else {
                throw .invalidAnnotation(value, "it is no KEY=VALUE", hint: "write [PLACE:]KEY=VALUE")
            }
            let written = value[..<equals]
            let content = String(value[value.index(after: equals)...])
            let colon = written.firstIndex(of: ":")
            let key = colon.map { written[written.index(after: $0)...] } ?? written
            guard !key.isEmpty, !key.contains(where: \.isWhitespace) else {
                throw .invalidAnnotation(value, "'\(key)' is no key", hint: "write [PLACE:]KEY=VALUE")
            }
            for text in colon.map({ written[..<$0] })?.split(separator: ",", omittingEmptySubsequences: false)
                ?? ["manifest"]
            {
                guard let (place, platform) = Self.place(text) else {
                    let known = Place.allCases.map(\.rawValue)
                    let near = NearestName.of(String(text.prefix { $0 != "[" }), among: known)
                    throw .invalidAnnotation(
                        value, "no annotation can be at '\(text)'",
                        hint: near.map { "did you mean '\($0)'?" }
                            ?? "places are \(known.joined(separator: ", ")), with [PLATFORM] behind the first two")
                }
                set(String(key), to: content, at: place, platform: platform)
            }
        }
    }
}

extension BuildError.Code {
    /// An `--annotation` that cannot be understood, or that has no place in the image.
    public static let invalidAnnotation = BuildError.Code(rawValue: "invalid-annotation")
}

extension BuildError {
    static func invalidAnnotation(_ value: String, _ problem: String, hint: String) -> BuildError {
        BuildError(.invalidAnnotation, "--annotation '\(value.prefix(120))': \(problem)", hint: hint)
    }

    static func annotationsWithoutImage() -> BuildError {
        BuildError(
            .invalidAnnotation, "--annotation is given, but no output is an image in OCI's form",
            hint: "add an output that is one, such as '-o type=oci,dest=image.tar', or leave out --annotation")
    }

    static func annotationsWithoutIndex(_ key: String) -> BuildError {
        BuildError(
            .invalidAnnotation, "the annotation '\(key)' is for an index, and an image for one platform has none",
            hint:
                "put it into the manifest (annotation.\(key)), or make an index with --build-arg BUILDKIT_MULTI_PLATFORM=1"
        )
    }
}
