internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleMaintenance

/// `whittle prune`.
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove build cache from the store.",
        discussion: """
            Removes results of steps, unpacked layers, cache mounts and blobs, least recently used first. What a running \
            build uses and what named images consist of always stays; what named images were made from stays without \
            --all. Builds may run meanwhile.
            """)

    @OptionGroup var store: StoreOptions

    @Flag(name: [.customShort("a"), .long], help: "Also remove the cache of images that have a name.")
    var all = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Only what passes: until=24h, type=regular|layer|internal|exec.cachemount|source.local|source.git.checkout, id=, parents=, "
                + "description~=, shared=, private=; != and ~= (regular expression) instead of =.",
            valueName: "filter"))
    var filter: [String] = []

    @Option(
        name: [.customLong("keep-storage"), .customLong("max-used-space")],
        help: ArgumentHelp(
            "Remove only until the store is no larger than this, such as 20GB; named images' cache not spared.",
            valueName: "size"))
    var keepStorage: String?

    @Flag(name: .customLong("dry-run"), help: "Show what would be removed, and remove nothing.")
    var isDryRun = false

    @Flag(name: [.customShort("f"), .long], help: "Do not ask.")
    var force = false

    func run() async throws {
        let status = await Interruption.cancelling {
            do {
                try await prune()
                return EXIT_SUCCESS
            } catch is CancellationError {
                ProgressPrinter.writeToStandardError("prune cancelled\n")
            } catch {
                ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
            }
            return EXIT_FAILURE
        }
        guard status == EXIT_SUCCESS else { throw ExitCode(status) }
    }

    private func prune() async throws {
        let now = Timestamp.current
        var policy = CollectionPolicy(
            includesShared: all, filters: try filter.map { try ObjectFilter(parsing: $0, now: now) },
            isDryRun: isDryRun)
        if let keepStorage {
            policy.limit = try BuildCacheOptions.size(keepStorage, "--keep-storage")
            policy.includesShared = true
        }
        guard store.exists, isDryRun || force || confirms() else {
            print("Total reclaimed space: 0B")
            return
        }
        let report = try await Collector(storeAt: store.directory).collect(policy)
        print(CollectionText.removed(report, isDryRun: isDryRun), terminator: "")
        if let excess = report.excess {
            ProgressPrinter.writeToStandardError(
                "warning: \(CollectionText.excess(excess, remaining: report.remaining))\n")
        }
    }

    /// Asks on a terminal; a script is taken at its word.
    private func confirms() -> Bool {
        guard isatty(0) == 1 else { return true }
        ProgressPrinter.writeToStandardError(
            CollectionText.warning(includesShared: all, filters: filter, limit: keepStorage))
        return ["y", "yes"].contains((readLine() ?? "").lowercased())
    }
}

extension StoreOptions {
    /// Whether there is a store, which is not made for looking at it.
    var exists: Bool { access(directory, F_OK) == 0 }
}
