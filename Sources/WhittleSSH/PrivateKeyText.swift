/// What a private key's file says of itself, without its secrets.
package enum PrivateKeyText {
    /// What is wrong with a file that was to be a key.
    package enum Fault: Hashable, Sendable {
        case notAKey
        case needsPassphrase
    }

    /// What an unencrypted key in OpenSSH's own format begins with, in base64: the magic `openssh-key-v1`, then the name of the
    /// cipher with its length, `none` (PROTOCOL.key of OpenSSH).
    private static let plainOpenSSH = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"

    /// `nil` for a private key that can be used as it is.
    package static func fault(in bytes: [UInt8]) -> Fault? {
        let lines = bytes.split { $0 == 0x0A || $0 == 0x0D }.map { String(decoding: $0, as: UTF8.self) }
        guard let start = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") && $0.contains("PRIVATE KEY-----") })
        else { return .notAKey }
        if lines[start].contains("ENCRYPTED") { return .needsPassphrase }
        let body = lines[(start + 1)...].prefix { !$0.hasPrefix("-----END ") }
        if lines[start].contains("OPENSSH") {
            return body.joined().hasPrefix(plainOpenSSH) ? nil : .needsPassphrase
        }
        return body.contains { $0.hasPrefix("Proc-Type:") && $0.contains("ENCRYPTED") } ? .needsPassphrase : nil
    }
}
