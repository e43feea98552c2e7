extension CopyPlan {
    /// The latest time of modification among the files, links and directories that the plan selects; 1970 for nothing.
    package var latestModification: FileTime {
        var latest = FileTime(seconds: 0)
        for item in items {
            if let status = item.status { latest = max(latest, status.modified) }
            for selected in item.selection {
                for entry in selected.entries { latest = max(latest, selected.status(entry).modified) }
            }
        }
        return latest
    }

    /// The latest time of modification among the regular files that the plan selects; `nil` where there is none.
    package var latestModificationOfFiles: FileTime? {
        var latest: FileTime?
        func add(_ status: FileStatus) {
            if status.isRegular { latest = latest.map { max($0, status.modified) } ?? status.modified }
        }
        for item in items {
            if let status = item.status { add(status) }
            for selected in item.selection {
                for entry in selected.entries { add(selected.status(entry)) }
            }
        }
        return latest
    }
}
