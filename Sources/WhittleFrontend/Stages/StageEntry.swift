internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// A stage while its dependencies are worked out.
struct StageEntry {
    let index: Int
    /// The name after `AS` in lower case.
    let name: String?
    /// What FROM names, with variables expanded.
    let base: String
    let origin: Origin
    /// The stage's own name is that of a named context, which replaces the whole stage.
    let isReplaced: Bool
    /// What `--platform` says.
    let platform: Platform?
    /// The FROM instruction.
    let location: SourceLocation
    /// Place of the base in the FROM instruction.
    let baseLocation: SourceLocation
    /// Triggers of the base, then the stage's own instructions; empty for a replaced stage.
    var commands: [StageCommand]
    var hasTriggers = false
    let ignoresCache: Bool

    /// The instructions that make a step of their own; FROM counts where it brings files.
    var stepCount: Int {
        var count = 0
        switch origin {
        case .stage, .scratch, .planned: break
        case .image, .directory, .download: count = 1
        }
        for command in commands where command.makesStep { count += 1 }
        return count
    }
}

/// Where the first file system of a stage, or the files of a `--from`, come from.
enum Origin: Hashable {
    /// An earlier stage.
    case stage(Int)
    case scratch
    case image(ImageRequest)
    /// A directory among the named contexts.
    case directory(name: String, IgnoreRules)
    /// A named context that is downloaded.
    case download(name: String, FetchedSource)
    /// A named context that another build makes.
    case planned(PlannedContext)
}

/// An image to resolve. Equal requests are resolved once.
struct ImageRequest: Hashable, Sendable {
    let source: Source
    let platform: Platform

    enum Source: Hashable, Sendable {
        case reference(ImageReference)
        case layout(LayoutReference)
    }

    /// The named context that the image stands for, if it is one.
    let contextName: String?
}

/// An instruction of a stage with what it reads from.
struct StageCommand {
    let instruction: Instruction
    /// It comes from an ONBUILD of the base and has no place in this file.
    let isTrigger: Bool
    /// For COPY the one source of `--from`; for RUN one element for each mount; `nil` where nothing is named.
    let dependencies: [Dependency?]

    var makesStep: Bool {
        switch instruction.kind {
        case .add, .copy, .run, .workdir: true
        default: false
        }
    }
}

/// What `--from` or `from=` names.
struct Dependency: Hashable {
    let kind: Kind
    /// Place of the name.
    let location: SourceLocation

    enum Kind: Hashable {
        case stage(Int)
        /// Position among the table's external sources.
        case external(Int)
    }
}

/// Files that `--from` takes from no stage: an image, a named context, or nothing.
struct ExternalSource: Hashable {
    /// As written.
    let name: String
    let origin: Origin
    /// The first place that names it.
    let location: SourceLocation
}
