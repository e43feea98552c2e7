internal import Glibc
package import SystemPackage

/// A terminal of the user in raw mode: each key reaches the container as it is typed, Ctrl-C included.
///
/// Ended by ``restore()``. A process that is killed meanwhile cannot do that; then the one outside of whittle's namespaces
/// does, see `CWhittleNamespaces.h`.
package struct RawTerminal: Sendable {
    private let terminal: FileDescriptor
    private let original: termios

    /// Puts `terminal` into raw mode.
    ///
    /// - Throws: the errno of tcsetattr(3); `ENOTTY` where it is no terminal.
    package init(_ terminal: FileDescriptor) throws(Errno) {
        var settings = termios()
        guard tcgetattr(terminal.rawValue, &settings) == 0 else { throw Errno(rawValue: errno) }
        self.terminal = terminal
        original = settings
        cfmakeraw(&settings)
        guard tcsetattr(terminal.rawValue, TCSADRAIN, &settings) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Gives the terminal back as it was.
    package func restore() {
        var settings = original
        // Fails only where the terminal has gone.
        tcsetattr(terminal.rawValue, TCSADRAIN, &settings)
    }
}
