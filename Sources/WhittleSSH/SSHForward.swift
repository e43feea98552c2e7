package import WhittleCore

/// What a build may sign with under one id: the value of `--ssh`.
package enum SSHForward: Sendable {
    /// An agent that listens at this path of this machine.
    case agent(socket: String)
    /// Private keys, as their files hold them; none needs a passphrase.
    case keys([Redacted<[UInt8]>])

    /// The id that counts where none is written.
    package static let defaultID = "default"
}
