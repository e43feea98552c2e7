internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleMaintenance

/// `whittle fsck`.
struct FsckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck",
        abstract: "Check the whole store, and drop what is damaged.",
        discussion: """
            Reads every blob and compares it with its digest, looks whether images have all their parts and snapshots \
            what they stand on, writes the layers of snapshots again and compares them, and checks the database. \
            Exit status: 0 nothing wrong, 1 something wrong (and dropped, with --repair), 2 the check could not be made.
            """)

    @OptionGroup var store: StoreOptions

    @Flag(help: "Drop what is damaged: the next build makes it again. An image that is not whole loses its name.")
    var repair = false

    @Flag(name: [.customShort("q"), .long], help: "Print problems and nothing else.")
    var quiet = false

    func run() async throws {
        let status = await Interruption.cancelling {
            do {
                guard store.exists else {
                    if !quiet { print("there is no store at '\(store.directory)'") }
                    return EXIT_SUCCESS
                }
                let report = try await StoreCheck(storeAt: store.directory).run(repairs: repair)
                print(Self.text(of: report, repairs: repair, isQuiet: quiet), terminator: "")
                return report.isClean ? EXIT_SUCCESS : EXIT_FAILURE
            } catch is CancellationError {
                ProgressPrinter.writeToStandardError("check cancelled\n")
            } catch {
                ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
            }
            return 2
        }
        guard status == EXIT_SUCCESS else { throw ExitCode(status) }
    }

    /// One line for each problem and note, and a summary.
    static func text(of report: CheckReport, repairs: Bool, isQuiet: Bool) -> String {
        var text = ""
        for problem in report.problems {
            let outcome =
                switch problem.outcome {
                case .found: ""
                case .removed: ": dropped"
                case .inUse: ": in use by a running build, not dropped"
                }
            text += BuildError.printable("\(problem.subject): \(problem.finding)\(outcome)") + "\n"
        }
        guard !isQuiet else { return text }
        for note in report.notes { text += "note: \(note)\n" }
        text += "checked \(count(report.blobCount, "blob")) (\(report.blobSize)), "
        text += "\(count(report.snapshotCount, "snapshot")), \(count(report.imageCount, "image")) and the database: "
        text += report.isClean ? "nothing wrong\n" : count(report.problems.count, "problem") + "\n"
        if !report.isClean, !repairs { text += "'whittle fsck --repair' drops what is damaged\n" }
        if repairs, report.hasUnrepaired { text += "run 'whittle fsck --repair' again when no build is running\n" }
        return text
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
