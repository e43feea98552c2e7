internal import Synchronization
internal import WhittleCache
package import WhittleCore
internal import WhittleFileSystem
package import WhittleGraph
package import WhittleHTTP
package import WhittleRegistry
internal import WhittleStore

/// Downloads what a build names by URL into the store, once: what a server says has not changed is not fetched again.
///
/// Two tasks or processes that want the same URL at the same time ask one after the other, so the second finds what the
/// first has fetched.
package final class Downloads: Sendable {
    private let store: BuildStore
    private let settings: @Sendable () throws -> RegistrySettings
    private let secrets: [String: Redacted<[UInt8]>]
    private let limit: ByteCount?
    private let downloader: HTTPDownloader
    private let report: @Sendable (StepEvent) -> Void

    /// - Parameters:
    ///   - settings: where certificates of hosts are.
    ///   - secrets: among them those that identify the build to hosts, see ``DownloadCredentials``.
    ///   - limit: a longer answer is refused; `nil` for none.
    package init(
        store: BuildStore, settings: @escaping @Sendable () throws -> RegistrySettings,
        secrets: [String: Redacted<[UInt8]>], limit: ByteCount?, downloader: HTTPDownloader = HTTPDownloader(),
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        self.store = store
        self.settings = settings
        self.secrets = secrets
        self.limit = limit
        self.downloader = downloader
        self.report = report
    }

    /// A file that is in the store.
    package struct File: Hashable, Sendable {
        package let digest: Digest
        /// What the server says (`Last-Modified`), or `nil`.
        package let modified: Timestamp?
    }

    /// The file that `source` names, after the server was asked whether it is still the same.
    ///
    /// With a checksum, a file that the store has is taken without asking.
    ///
    /// - Throws: `download-failed`, `download-not-found`, `download-unauthorized`, `download-untrusted`,
    ///   `download-too-large`, `checksum-mismatch`, `curl-missing`; `CancellationError`. Nothing is kept of what was not
    ///   complete and right.
    package func file(_ source: HTTPSource, for step: Step) async throws -> File {
        guard let (address, user) = WebAddress.parsing(withUser: source.url.revealed) else {
            throw BuildError.invalidURL(source.shownURL)
        }
        // Not of user and password, which may change without the file.
        let key = Digest(
            hashing: "whittle.download.v1 \(address.scheme.rawValue)://\(address.authority)\(address.target)")
        let lock = try await store.layout.lock("download-" + key.hex)
        defer { lock.release() }
        let record = try known(key)
        if let checksum = source.checksum, try store.blobs.size(of: checksum) != nil {
            return File(
                digest: checksum,
                modified: record?.content == checksum ? record?.lastModified.flatMap { HTTPDate.parse($0) } : nil)
        }
        var request = HTTPRequest("GET", address)
        request.security = try CertificateDirectory.security(
            for: address.authority, in: settings().certificateDirectories)
        request.authorization = try DownloadCredentials(secrets).authorization(for: address) ?? user
        if source.checksum == nil, let record { request.headers += Self.conditions(record) }
        let transfer = DownloadTransfer(source, known: record, store: store, limit: limit, step: step, report: report)
        let response: HTTPResponse
        do {
            response = try await downloader.send(request) { try transfer.receive($0) }
        } catch {
            transfer.cancel()
            guard let failure = error as? HTTPFailure else { throw error }
            throw BuildError.download(source.shownURL, host: address.authority, failure)
        }
        if response.status == 304 || transfer.isUnchanged, let record {
            transfer.cancel()
            return File(digest: record.content, modified: record.lastModified.flatMap { HTTPDate.parse($0) })
        }
        guard response.isSuccess else {
            transfer.cancel()
            throw BuildError.download(
                source.shownURL, host: address.host, status: response.status,
                wasKnown: request.authorization != nil)
        }
        let digest = try await BlockingPool.shared.run { try transfer.finish() }
        let modified = response.headers["Last-Modified"]
        try store.database.save(
            DownloadRecord(content: digest, entityTag: response.headers["ETag"], lastModified: modified),
            forDownload: key)
        return File(digest: digest, modified: modified.flatMap { HTTPDate.parse($0) })
    }

    /// What is on record, if the store still has the bytes and they can be asked about.
    private func known(_ key: Digest) throws -> DownloadRecord? {
        guard let record = try store.database.download(key), try store.blobs.size(of: record.content) != nil else {
            return nil
        }
        return record
    }

    private static func conditions(_ record: DownloadRecord) -> [HTTPHeaders.Field] {
        if let tag = record.entityTag { return [HTTPHeaders.Field("If-None-Match", tag)] }
        return record.lastModified.map { [HTTPHeaders.Field("If-Modified-Since", $0)] } ?? []
    }
}
