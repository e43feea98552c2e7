internal import CWhittleLinux

/// The user who started this program. Inside the user namespace of an ordinary user, this process is root all the same.
package enum StartingUser {
    /// The number that the machine knows.
    package static var identifier: UInt32 { whittle_outer_user() }

    /// Whether it is root, who may give files away and make device nodes.
    package static var isRoot: Bool { identifier == 0 }
}
