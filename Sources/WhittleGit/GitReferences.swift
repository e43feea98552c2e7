internal import WhittleCore
internal import WhittleFileSystem

/// The name of an object: a digest in hexadecimal, of SHA-1 or SHA-256.
struct GitObjectName: Hashable, CustomStringConvertible {
    let description: String

    init?(_ text: some StringProtocol) {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
        guard text.utf8.count == 40 || text.utf8.count == 64, text.utf8.allSatisfy(isDigit) else { return nil }
        description = String(text)
    }

    init(bytes: some Collection<UInt8>) {
        let digits = Array("0123456789abcdef".utf8)
        description = String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// 20 or 32.
    var bytes: [UInt8] {
        let digits = description.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// Follows HEAD to a commit.
struct GitReferences {
    private let repository: GitRepository

    /// More links from reference to reference than this are a circle.
    private static let depthLimit = 10

    init(_ repository: GitRepository) { self.repository = repository }

    /// What is checked out; `nil` where no commit was made yet.
    func head() throws(BuildError) -> GitObjectName? {
        if GitRepository.isDirectory(repository.common + "/reftable") {
            throw problem("its references are in a table, which whittle does not read")
        }
        var name = "HEAD"
        for _ in 0..<Self.depthLimit {
            var found = try loose(name)
            if found == nil { found = try packed(name) }
            guard let text = found else { return nil }
            if let object = GitObjectName(text) { return object }
            guard text.hasPrefix("ref:") else { throw problem("the reference '\(name)' is damaged") }
            name = GitRepository.trimmed(text.dropFirst("ref:".count))
            guard name.hasPrefix("refs/"), !name.split(separator: "/").contains("..") else {
                throw problem("'\(BuildError.printable(name))' is no reference")
            }
        }
        throw problem("its references lead to each other")
    }

    /// A reference in a file of its own: of this work tree, else of all.
    private func loose(_ name: String) throws(BuildError) -> String? {
        for directory in [repository.directory, repository.common] {
            if let text = try GitRepository.text(of: "\(directory)/\(name)") {
                return GitRepository.trimmed(text[...])
            }
        }
        return nil
    }

    /// A reference in the file of them all: lines of `OBJECT NAME`, besides comments and what tags point to.
    private func packed(_ name: String) throws(BuildError) -> String? {
        guard let text = try GitRepository.text(of: repository.common + "/packed-refs", limit: 256 << 20) else {
            return nil
        }
        for line in text.split(separator: "\n") where line.utf8.first != UInt8(ascii: "#") {
            guard let blank = line.firstIndex(of: " ") else { continue }
            if GitRepository.trimmed(line[line.index(after: blank)...]) == name { return String(line[..<blank]) }
        }
        return nil
    }

    private func problem(_ text: String) -> BuildError { .gitCommit(repository.shown, text) }
}
