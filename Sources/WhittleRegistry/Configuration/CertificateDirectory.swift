internal import WhittleCore
internal import WhittleFileSystem
package import WhittleHTTP

/// The certificates that a user keeps for one registry: `containers-certs.d(5)`.
package enum CertificateDirectory {
    /// What the first of `directories` that has a subdirectory for `authority` (`HOST[:PORT]`) says.
    ///
    /// `*.crt` are authorities, `NAME.cert` with `NAME.key` identify the client; of several the first is taken.
    ///
    /// - Throws: `registry-certificates` where a certificate has no key; `file-system`.
    package static func security(for authority: String, in directories: [String]) throws -> TransportSecurity {
        try security(directories.map { "\($0)/\(authority)" })
    }

    /// What the first of `directories` that has files says, for whatever registry.
    static func security(_ directories: [String]) throws -> TransportSecurity {
        var security = TransportSecurity()
        for directory in directories {
            let names = try RegistrySettings.fileNames(in: directory)
            guard !names.isEmpty else { continue }
            for name in names where name.hasSuffix(".crt") {
                guard let text = try FileReading.bytes(ofFileAt: "\(directory)/\(name)", limit: 4 << 20) else {
                    continue
                }
                security.authorities += text + [0x0A]
            }
            if let certificate = names.first(where: { $0.hasSuffix(".cert") }) {
                let key = certificate.dropLast(".cert".count) + ".key"
                guard names.contains(String(key)) else {
                    throw BuildError.missingClientKey(certificate: "\(directory)/\(certificate)", key: String(key))
                }
                security.clientCertificate = "\(directory)/\(certificate)"
                security.clientKey = "\(directory)/\(key)"
            }
            return security
        }
        return security
    }
}
