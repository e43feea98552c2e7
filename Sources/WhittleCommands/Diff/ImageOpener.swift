internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WhittleAnalysis
internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleRegistry

/// Reads images from wherever an argument says that they are.
final class ImageOpener: Sendable {
    private let storeDirectory: String
    private let platform: Platform?
    private let limits: ReadingLimits
    private let findsPackages: Bool
    private let settings: @Sendable () throws -> RegistrySettings
    /// The store, once something had to be put there: an unpacked archive is where all of whittle's unfinished things are.
    private let use = Mutex<StoreUse?>(nil)

    /// What an argument for an image may be, for the help of commands.
    ///
    /// - Parameter note: what else is to be said of plain directories.
    static func forms(ofDirectory note: String = "") -> String {
        """
        An image is a name or ID of the store, or one of these:
          docker://REFERENCE          an image of a registry
          oci:DIRECTORY[:TAG]         an OCI image layout (also oci-layout://DIRECTORY[:TAG])
          oci-archive:FILE[:TAG]      an archive of such a layout
          docker-archive:FILE[:NAME]  what 'docker save' writes
          dir:DIRECTORY               a plain directory, such as '-o type=local' writes\(note)
        A path of a layout, an archive or a directory stands for itself.
        """
    }

    /// - Parameters:
    ///   - findsPackages: whether ``WhittleAnalysis/ImageContents/packages`` is filled; of directories nothing else is.
    ///   - settings: how to talk to registries; asked for when an image of one is first read.
    init(
        storeDirectory: String, platform: Platform? = nil, limits: ReadingLimits = ReadingLimits(),
        findsPackages: Bool = false,
        settings: @escaping @Sendable () throws -> RegistrySettings = {
            try RegistrySettings.load(environment: BuildCommand.environment)
        }
    ) {
        self.settings = settings
        self.storeDirectory = storeDirectory
        self.platform = platform
        self.limits = limits
        self.findsPackages = findsPackages
    }

    /// Removes what was unpacked.
    func close() { use.withLock { $0.take() }?.close() }

    /// Reads the image that `text` stands for.
    ///
    /// - Throws: `unknown-image`, `invalid-image-reference`, and what reading it throws.
    func read(_ text: String) async throws -> ImageContents {
        let place = try place(of: text)
        switch place {
        case .directory(let path):
            if findsPackages { return try await ImageContents(findingPackagesInDirectory: path, named: text) }
            return try await ImageContents(readingDirectory: path, named: text, limits: limits)
        case .layout, .archive, .registry:
            let source = try await source(place)
            do {
                return try await ImageContents(
                    reading: source, named: text, platform: platform, limits: limits, findsPackages: findsPackages)
            } catch let error as BuildError {
                throw Self.naming(place, source, error)
            }
        }
    }

    /// What reads an image that is not a plain directory; an archive is unpacked for it.
    ///
    /// - Throws: `not-an-oci-layout`, `invalid-image-archive` and the like; `invalid-image-place` for a directory.
    func source(_ place: Place) async throws -> any ImageTreeSource {
        switch place {
        case .directory(let path): throw BuildError.invalidPlace(path, "it is a directory without an image")
        case .layout(let location): return try OCILayoutSource(location)
        case .archive(let path, let tag):
            let directory = try await ImageLoader.layout(of: path, in: store().scratch)
            return try OCILayoutSource(OCILayoutLocation(directory: directory, tag: tag))
        case .registry(let reference):
            return try RegistryClient(settings: settings()).source(for: reference)
        }
    }

    /// The store, which is made where it is missing.
    func store() throws -> StoreUse {
        try use.withLock { use in
            let opened = try use ?? StoreUse(storeDirectory)
            use = opened
            return opened
        }
    }

    /// `error` with the name of an archive in the place of the directory that it was unpacked to, which nobody knows.
    static func naming(_ place: Place, _ source: any ImageSource, _ error: BuildError) -> BuildError {
        guard case .archive(let path, _) = place, let layout = source as? OCILayoutSource else { return error }
        return BuildError(
            error.code,
            error.message.replacing("OCI layout '\(layout.location.directory)'", with: "archive '\(path)'"),
            hint: error.code == .imageNotFound ? "choose one with oci-archive:\(path):TAG" : error.hint,
            cause: error.cause)
    }

    /// Where an image is.
    enum Place: Hashable {
        case directory(String)
        case layout(OCILayoutLocation)
        case archive(String, tag: String?)
        case registry(ImageReference)
    }

    /// What `text` stands for: by its scheme; without one a path that is written as one, an image of the store, what is on
    /// the disk, and a name with a registry in it.
    func place(of text: String) throws -> Place {
        for (scheme, make) in Self.schemes where text.hasPrefix(scheme) {
            return try make(String(text.dropFirst(scheme.count)))
        }
        if text.hasPrefix("store:") {
            let name = String(text.dropFirst("store:".count))
            guard access(storeDirectory, F_OK) == 0 else { throw ImageStoreReader.unknown(name, among: []) }
            let image = try ImageStoreReader(storeAt: storeDirectory).find(name)
            return .layout(OCILayoutLocation(directory: storeDirectory, digest: image.target.digest))
        }
        if ["/", "./", "../"].contains(where: { text.hasPrefix($0) }) || text == "." || text == ".." {
            if let place = try Self.placeOnDisk(text) { return place }
            throw BuildError.fileSystem("read", text, .noSuchFileOrDirectory)
        }
        var known: [ImageReference] = []
        if access(storeDirectory, F_OK) == 0 {
            let reader = try ImageStoreReader(storeAt: storeDirectory)
            do {
                let image = try reader.find(text)
                return .layout(OCILayoutLocation(directory: storeDirectory, digest: image.target.digest))
            } catch let error as BuildError where error.code == .unknownImage {
                known = try reader.list().images.compactMap(\.name)
            }
        }
        if let place = try Self.placeOnDisk(text) { return place }
        // What is no name is no image of the store either, and that is what the error says.
        if let reference = try? ImageReference(parsing: text), Self.hasRegistry(text) { return .registry(reference) }
        throw ImageStoreReader.unknown(text, among: known)
    }

    /// The name of the image in a registry that `text` stands for; `nil` where it has none.
    func reference(of text: String) throws -> ImageReference? {
        switch try place(of: text) {
        case .registry(let reference): return reference
        case .layout(let location) where location.directory == storeDirectory && location.digest != nil:
            return try ImageStoreReader(storeAt: storeDirectory).find(text).name
        case .layout, .archive, .directory: return nil
        }
    }

    private static let schemes: [(String, @Sendable (String) throws -> Place)] = [
        ("docker://", { .registry(try reference($0)) }),
        ("oci-layout://", { .layout(try OCILayoutLocation(parsing: $0)) }),
        ("oci-archive:", { archive($0) }),
        ("docker-archive:", { archive($0) }),
        ("oci:", { .layout(try OCILayoutLocation(parsing: $0)) }),
        ("dir:", { .directory($0) }),
    ]

    /// A path, with a tag behind its first colon where there is no file of the whole name.
    private static func archive(_ text: String) -> Place {
        let start = text.lastIndex(of: "/") ?? text.startIndex
        guard access(text, F_OK) != 0 else { return .archive(text, tag: nil) }
        // A name behind the file has slashes of its own: the first colon that ends the name of a file ends this one.
        for colon in [text.firstIndex(of: ":"), text[start...].firstIndex(of: ":")].compactMap({ $0 }) {
            let path = String(text[..<colon])
            if access(path, F_OK) == 0 { return .archive(path, tag: String(text[text.index(after: colon)...])) }
        }
        return .archive(text, tag: nil)
    }

    private static func placeOnDisk(_ text: String) throws -> Place? {
        guard access(text, F_OK) == 0 else {
            let location = try OCILayoutLocation(parsing: text)
            guard location.tag != nil || location.digest != nil, isLayout(location.directory) else { return nil }
            return .layout(location)
        }
        guard BuildInput.isDirectory(text) else { return .archive(text, tag: nil) }
        return isLayout(text) ? .layout(OCILayoutLocation(directory: text)) : .directory(text)
    }

    private static func isLayout(_ path: String) -> Bool { access(path + "/oci-layout", F_OK) == 0 }

    private static func reference(_ text: String) throws(BuildError) -> ImageReference {
        do throws(ImageReference.Invalid) { return try ImageReference(parsing: text) } catch {
            throw .invalidImageReference(text, error)
        }
    }

    /// Whether a name says which registry it means: one without is more likely mistyped than meant for Docker Hub.
    private static func hasRegistry(_ text: String) -> Bool {
        guard let slash = text.firstIndex(of: "/") else { return false }
        let host = text[..<slash]
        return host == "localhost" || host.contains(".") || host.contains(":")
    }
}
