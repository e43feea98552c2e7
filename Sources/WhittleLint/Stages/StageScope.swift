internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleOCI

/// What the instructions of a stage have come to: its variables, and what later instructions are judged by.
struct StageScope {
    private(set) var values: [String: String] = [:]
    /// Bytes of names and values.
    private(set) var size = 0
    /// Every ARG of the stage and those below it, with or without a value.
    var declared: Set<String> = []
    var hasShell = false
    var hasWorkingDirectory = false
    var platform: Platform
    /// The image at the bottom, where nothing is known of its variables.
    var unknownImage: String?

    /// No program could be started with more variables than this: the kernel takes arguments and environment up to 6 MiB.
    static let limit = 6 << 20

    init(platform: Platform) { self.platform = platform }

    /// Sets a variable; what goes beyond the limit is dropped, as the build refuses it.
    mutating func set(_ name: String, _ value: String) {
        let old = values[name].map { name.utf8.count + $0.utf8.count } ?? 0
        let new = name.utf8.count + value.utf8.count
        guard size - old + new <= Self.limit else { return }
        size += new - old
        values[name] = value
    }

    /// Takes over what an image sets.
    mutating func begin(with image: ImageConfiguration) {
        for assignment in image.config.environment {
            let equals = assignment.firstIndex(of: "=") ?? assignment.endIndex
            set(String(assignment[..<equals]), String(assignment[equals...].dropFirst()))
        }
        hasShell = !(image.config.shell ?? []).isEmpty
    }

    /// PATH is always set, but for Windows.
    mutating func completePath() {
        guard values["PATH"] == nil, platform.os != "windows" else { return }
        set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    }
}
