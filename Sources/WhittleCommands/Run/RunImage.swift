internal import WhittleCore
internal import WhittleEngine
internal import WhittleExport
internal import WhittleOCI
internal import WhittleRegistry

/// Sees to it that the store has the image of a 'run'.
struct RunImage: Sendable {
    let name: String
    let platform: Platform?
    let policy: PullPolicy

    /// Pulls where the policy says so.
    ///
    /// An image that is neither in the store nor in a registry is told of as one that the store does not have, with the
    /// registry's answer beside.
    ///
    /// - Throws: `unknown-image`, `ambiguous-image`, and what pulling throws.
    func prepare(in store: BuildStore) async throws {
        let reader = ImageStoreReader(names: store.names, blobs: store.blobs)
        switch policy {
        case .never: return
        case .always: try await pull(into: store)
        case .missing:
            do {
                _ = try reader.find(name)
            } catch let missing as BuildError where missing.code == .unknownImage {
                // What is no name is in no registry.
                guard (try? ImageReference(parsing: name)) != nil else { throw missing }
                ProgressPrinter.writeToStandardError("the store has no image '\(name)', asking its registry\n")
                do {
                    try await pull(into: store)
                } catch let error as BuildError {
                    // More likely mistyped than meant.
                    throw BuildError(
                        missing.code, "\(missing.message); \(error.message)", hint: missing.hint ?? error.hint,
                        cause: error.cause)
                }
            }
        }
    }

    private func pull(into store: BuildStore) async throws {
        let client = RegistryClient(settings: try RegistrySettings.load(environment: BuildCommand.environment))
        let reference = try ImagePulling.reference(name)
        _ = try await ImagePulling(client: client, platform: platform, all: false, progress: .auto)
            .pull(reference, into: store)
    }
}
