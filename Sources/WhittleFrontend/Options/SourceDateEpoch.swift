internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph

/// The build argument `SOURCE_DATE_EPOCH`, or else its ARG above the first FROM.
struct SourceDateEpoch {
    static let name = "SOURCE_DATE_EPOCH"
    private let dockerfile: Dockerfile

    init(_ dockerfile: Dockerfile) { self.dockerfile = dockerfile }

    /// Sets the epoch of `options`, where nothing has set it yet. The value `context` becomes the time of the context, or
    /// is taken away where that has none.
    ///
    /// - Returns: what is to be said about it.
    /// - Throws: `invalid-source-date-epoch`.
    func apply(to options: inout BuildOptions, _ globals: inout GlobalVariables) throws(BuildError) -> BuildWarning? {
        let given = options.buildArguments[Self.name]
        guard let text = given ?? globals.values[Self.name], !text.isEmpty else {
            useFallback(&options)
            return nil
        }
        guard text == "context" else {
            guard let time = Timestamp(epoch: text) else { throw .invalidEpoch(text, at: place(options)) }
            if options.sourceDateEpoch == nil { options.sourceDateEpoch = time }
            return nil
        }
        if options.sourceDateEpoch == nil { options.sourceDateEpoch = options.contextTime }
        useFallback(&options)
        let value = options.sourceDateEpoch.map { "\($0.seconds)" } ?? ""
        if given == nil { globals.replace(Self.name, with: value) } else { options.buildArguments[Self.name] = value }
        return value.isEmpty ? .contextWithoutTime(at: place(options)) : nil
    }

    private func useFallback(_ options: inout BuildOptions) {
        if options.isReproducible, options.sourceDateEpoch == nil { options.sourceDateEpoch = options.fallbackEpoch }
    }

    /// The default value in the Dockerfile; `nil` where the value was given otherwise.
    private func place(_ options: BuildOptions) -> SourceLocation? {
        guard options.buildArguments[Self.name] == nil else { return nil }
        var place: Token?
        for case .arg(let declarations) in dockerfile.globalArguments.map(\.kind) {
            place = declarations.last { $0.name.text == Self.name }?.value ?? place
        }
        return place.map { dockerfile.location(of: $0.range) }
    }
}

extension BuildWarning {
    static func contextWithoutTime(at location: SourceLocation?) -> BuildWarning {
        BuildWarning(
            "SOURCE_DATE_EPOCH=context has no effect: the context has no time of its own, as a git repository, an archive and "
                + "most downloads have one (give a number of seconds, or build with --reproducible)", at: location)
    }
}
