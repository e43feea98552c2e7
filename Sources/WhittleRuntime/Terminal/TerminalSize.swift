internal import CWhittleLinux
internal import Glibc
package import SystemPackage

/// The size of a terminal's window, in characters.
package struct TerminalSize: Hashable, Sendable {
    package var rows: UInt16
    package var columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }

    /// What a terminal has that nobody looks at, as on a machine that runs builds.
    package static let standard = TerminalSize(rows: 24, columns: 80)

    /// The size of the window that `terminal` is shown in; `nil` where it is no terminal, or none with a size.
    package init?(of terminal: FileDescriptor) {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        guard whittle_window_size(terminal.rawValue, &rows, &columns) == 0, rows > 0, columns > 0 else { return nil }
        self.init(rows: rows, columns: columns)
    }

    /// Whether `descriptor` is a terminal.
    package static func isTerminal(_ descriptor: FileDescriptor) -> Bool { isatty(descriptor.rawValue) == 1 }
}
