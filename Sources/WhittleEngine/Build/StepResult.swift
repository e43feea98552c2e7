package import WhittleCore
package import WhittleGraph
package import WhittleSnapshot

/// What a vertex gave.
package enum StepResult: Sendable {
    /// A file system; `nil` stands for an empty one.
    ///
    /// `latestInput` is the newest of what went into it: files of the context, creation times of base images. It depends
    /// on the inputs alone, not on when the build ran.
    case snapshot(SnapshotID?, latestInput: Timestamp)
    /// A directory of this machine, with what is to be ignored in it.
    case local(LocalSource)

    /// A file that was downloaded.
    case download(DownloadedFile)
    /// A tree of a git repository.
    case repository(GitFiles)

    /// The snapshot, or `nil` for an empty file system.
    var snapshot: SnapshotID? {
        if case .snapshot(let id, _) = self { id } else { nil }
    }
}
