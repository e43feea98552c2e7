internal import SystemPackage
internal import WhittleArchive
package import WhittleCore
package import WhittleFileSystem

/// A place where a step left a secret.
package struct SecretLeak: Hashable, Sendable {
    /// What of an entry holds the secret.
    package enum Place: Hashable, Sendable {
        case contents
        /// What a gzip or zstd file unpacks to.
        case unpackedContents
        case name
        case linkTarget
        case attribute(String)
    }

    package let secret: String
    package let form: SecretForm
    package let place: Place
    /// Absolute in the file system of the step, with `***` for what gives a secret away.
    package let path: String
}

/// Looks for secrets in what a step wrote: an upper directory of overlayfs.
///
/// Looked at are contents of files, names, targets of links and `user.` attributes: what becomes part of a layer. A file that
/// begins as gzip or zstd is searched unpacked too, as one stream and up to ``unpackedLimit``; archives in it are not unpacked
/// again. Holes of sparse files are passed over, a file of several names is read once.
package struct LeakScan {
    /// What more than this a packed file holds is not looked at.
    package static let unpackedLimit = ByteCount(1 << 30)
    /// Enough places to understand what happened.
    package static let reportLimit = 20

    private let patterns: SecretPatterns

    package init(_ patterns: SecretPatterns) { self.patterns = patterns }

    /// The places where secrets are, in the order of their paths, at most ``reportLimit``; one for each entry.
    ///
    /// - Throws: `file-system` with the path that could not be read; `CancellationError`.
    package func leaks(in directory: String, cancellation: Cancellation) throws -> [SecretLeak] {
        var leaks: [SecretLeak] = []
        guard !patterns.isEmpty else { return leaks }
        var seen: Set<LinkKey> = []
        var namedPath: [UInt8]?
        let reader = LeakReader(patterns)
        try TreeWalk(directory).forEach(cancellation: cancellation) { entry in
            guard leaks.count < Self.reportLimit else { return }
            let bytes = entry.path.bytes
            // Below a directory that is named so, every path would be reported.
            if let prefix = namedPath, bytes.starts(with: prefix + [UInt8(ascii: "/")]) { return }
            if let leak = leak(in: bytes, .name, entry) {
                leaks.append(leak)
                namedPath = bytes
                return
            }
            if entry.status.links > 1, entry.status.isRegular,
                !seen.insert(LinkKey(device: entry.status.device, inode: entry.status.inode)).inserted
            {
                return
            }
            if let leak = try leakInside(entry, reader, cancellation) { leaks.append(leak) }
        }
        return leaks
    }

    private struct LinkKey: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private func leakInside(
        _ entry: TreeWalk.Entry, _ reader: LeakReader, _ cancellation: Cancellation
    ) throws -> SecretLeak? {
        switch entry.status.kind {
        case .symbolicLink:
            let target = try describing("read", "/\(entry.path)") { () throws(Errno) in try entry.linkTarget() }
            return leak(in: target.bytes, .linkTarget, entry)
        case .regular where entry.status.size > 0:
            let file = try describing("read", "/\(entry.path)") { () throws(Errno) -> OwnedDescriptor in
                try entry.open()
            }
            let found = try file.withDescriptor { try reader.search($0, entry.status, cancellation) }
            if let (pattern, place) = found { return leak(patterns.meanings[pattern], place, entry) }
            return try leakInAttributes(entry)
        case .regular, .directory: return try leakInAttributes(entry)
        default: return nil
        }
    }

    private func leakInAttributes(_ entry: TreeWalk.Entry) throws -> SecretLeak? {
        let attributes = try describing("read attributes of", "/\(entry.path)") { () throws(Errno) in
            try entry.extendedAttributes()
        }
        for attribute in attributes where attribute.name.hasPrefix("user.") {
            let place = SecretLeak.Place.attribute(patterns.redacted(attribute.name))
            for bytes in [Array(attribute.name.utf8), attribute.value] {
                if let leak = leak(in: bytes, place, entry) { return leak }
            }
        }
        return nil
    }

    private func leak(in bytes: [UInt8], _ place: SecretLeak.Place, _ entry: TreeWalk.Entry) -> SecretLeak? {
        patterns.leak(in: bytes).map {
            leak(SecretPatterns.Meaning(secret: $0.secret, form: $0.form), place, entry)
        }
    }

    private func leak(
        _ meaning: SecretPatterns.Meaning, _ place: SecretLeak.Place, _ entry: TreeWalk.Entry
    ) -> SecretLeak {
        SecretLeak(
            secret: meaning.secret, form: meaning.form, place: place,
            path: patterns.redacted("/" + BuildError.printable("\(entry.path)")))
    }
}
