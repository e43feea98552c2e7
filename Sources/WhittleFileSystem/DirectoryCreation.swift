internal import SystemPackage

/// How a directory that does not exist is made.
package struct DirectoryCreation: Sendable {
    /// Permission bits, whatever the umask.
    package var mode: UInt32
    /// `nil` leaves the directory to the user who runs the program.
    package var owner: FileOwner?
    /// Its times; `nil` leaves them at now.
    package var time: FileTime?

    package init(mode: UInt32 = 0o755, owner: FileOwner? = nil, time: FileTime? = nil) {
        self.mode = mode
        self.owner = owner
        self.time = time
    }

    /// Makes `name`; one that another process made meanwhile is as good, and is left as it is.
    func make(_ name: EntryPath, at directory: FileDescriptor) throws(Errno) {
        try name.withCString { (name) throws(Errno) in
            do throws(Errno) {
                try Syscall.makeDirectory(name, mode: mode, at: directory)
            } catch {
                if error == .fileExists { return }
                throw error
            }
            if let owner { try Syscall.changeOwner(name, to: owner, at: directory) }
            // After the owner, because chown(2) clears setuid and setgid.
            try Syscall.changeMode(name, to: mode, at: directory)
            if let time { try Syscall.changeTimes(name, to: time, at: directory) }
        }
    }
}
