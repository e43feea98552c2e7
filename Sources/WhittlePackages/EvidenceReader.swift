/// Reads one file for packages, as its bytes come.
///
/// Nothing that a file says can make it trap or take more memory than ``EvidenceKind/sizeLimit`` and what is found: what is
/// broken becomes a problem of the ``Findings``. To be used from one thread.
package final class EvidenceReader {
    private let kind: EvidenceKind
    private let name: String
    private var bytes: [UInt8] = []
    private var isTooLarge = false
    private var program = ProgramScan()

    /// - Parameter path: from the root, without a leading slash.
    package init(_ kind: EvidenceKind, path: String) {
        self.kind = kind
        name = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Whether what follows makes no difference: the rest need not be read.
    package var isDone: Bool { kind == .program ? program.isDone : isTooLarge }

    /// Takes the next bytes of the file.
    package func take(_ chunk: UnsafeRawBufferPointer) {
        if kind == .program { return program.take(chunk) }
        guard !isTooLarge else { return }
        guard bytes.count + chunk.count <= kind.sizeLimit else {
            isTooLarge = true
            bytes = []
            return
        }
        bytes.append(contentsOf: chunk)
    }

    /// What the file says.
    package func finish() -> Findings {
        guard !isTooLarge else {
            return .problem("it is larger than \(kind.sizeLimit >> 20) MiB, which is too much to be looked into")
        }
        defer { bytes = [] }
        switch kind {
        case .program: return program.findings
        case .release:
            return Distribution(parsing: bytes).map { Findings(distribution: $0) }
                ?? .problem("it names no distribution")
        case .dpkg: return DpkgStatus.findings(in: bytes)
        case .apk: return ApkDatabase.findings(in: bytes)
        case .rpmSQLite: return RPMSQLite.findings(in: bytes)
        case .rpmLog:
            return bytes.isEmpty
                ? Findings() : .problem("it has changes that are not in rpmdb.sqlite yet, and is not read")
        case .rpmNDB: return RPMNDB.findings(in: bytes)
        case .rpmBerkeley: return RPMBerkeley.findings(in: bytes)
        case .python: return PythonPackages.findings(in: bytes)
        case .nodePackage: return NodePackages.findings(inPackage: bytes)
        case .nodeLock: return NodePackages.findings(inLock: bytes)
        case .java: return JavaArchive.findings(in: bytes, named: name)
        }
    }
}
