internal import WhittleCore

/// The time that a build fixes, and what it applies to.
struct BuildEpoch: Hashable, Sendable {
    /// `nil` where times are those at which things were made.
    var time: Timestamp?
    /// `--reproducible`: files get no later time.
    var isReproducible = false
    /// `--timestamp`: all files of the build's own layers get this time, as in buildah.
    var setsAllTimes = false

    /// What becomes of the times in the build's own layers.
    func layerTimes(rewritesTimes: Bool) -> TimeRule? {
        if setsAllTimes { return time.map { .exactly($0) } }
        return isReproducible || rewritesTimes ? time.map { .atMost($0) } : nil
    }

    /// What becomes of the times in outputs that are no image. As in BuildKit an epoch is the time of every file there,
    /// those of the base image included; a reproducible build keeps what is older.
    var treeTimes: TimeRule? { time.map { isReproducible && !setsAllTimes ? .atMost($0) : .exactly($0) } }
}
