internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleFileSystem

/// A terminal between a runtime and this process: what is written to the one end is read from the other.
///
/// In raw mode: line editing and signals are the business of the terminal inside the container, which the runtime makes
/// and connects with this one.
struct PseudoTerminal: ~Copyable {
    /// This process's end; reading and writing do not wait.
    let shown: OwnedDescriptor
    /// The end that becomes the program's standard input, output and error.
    let program: OwnedDescriptor

    init(_ size: TerminalSize) throws(Errno) {
        var ends: [CInt] = [-1, -1]
        guard whittle_open_terminal(&ends) == 0 else { throw Errno(rawValue: errno) }
        // Does not fail on a terminal; where it did, the size would be 0 × 0, which programs know.
        _ = whittle_set_window_size(ends[0], size.rows, size.columns)
        shown = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[0]))
        program = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[1]))
    }

    /// Closes the program's end here, which the program has by now, and gives this process's end away.
    consuming func takeShown() -> OwnedDescriptor { shown }
}
