import Foundation
import Glibc
import SystemPackage
import Testing
import WhittleArchive
import WhittleCore
import WhittleFileSystem
import WhittleTestKit

@testable import WhittleSecrets

@Suite("LeakScan")
struct LeakScanTests {
    static let secret = "s3cr3t-value-of-the-step"
    static var patterns: SecretPatterns {
        SecretPatterns([NamedSecret(id: "key", value: Redacted(Array("\(secret)\n".utf8)))])
    }

    /// So long that it is packed with codes of its own, and the secret is not in it as it is.
    private static var text: String {
        (0..<300).map { "\($0 * 7919) steps and values\n" }.joined() + secret
    }

    private static func leaks(_ directory: TemporaryDirectory) throws -> [String] {
        try LeakScan(patterns).leaks(in: directory.path, cancellation: Cancellation()).map {
            "\($0.path) \($0.place) \($0.form.rawValue)"
        }
    }

    private static func packed(_ text: String, _ compression: Compression) throws -> [UInt8] {
        final class Bytes: @unchecked Sendable { var value: [UInt8] = [] }  // SAFETY: the sink is called in order
        let bytes = Bytes()
        let compressor = try ParallelCompressor(compression, threads: 1) { bytes.value += Array($0) }
        try Array(text.utf8).withUnsafeBytes { try compressor.write($0) }
        try compressor.finish()
        return bytes.value
    }

    @Test("finds contents, names, targets of links and packed files, and names no secret")
    func everywhere() throws {
        let directory = try TemporaryDirectory("leaks")
        try directory.write("a/clean", "nothing here\n")
        try directory.write("a/plain", "key=\(Self.secret)\n")
        try directory.write("b64", Encodings.folded(Encodings.base64(Array(Self.secret.utf8), after: 40), 76))
        try directory.write("dir-\(Self.secret)/file", "x")
        try directory.link("link", to: "/x/\(Encodings.hexadecimal(Array(Self.secret.utf8)))")
        try directory.write(bytes: try Self.packed(Self.text, .gzip(level: 3)), "p.gz")
        try directory.write(bytes: try Self.packed(Self.text, .zstd(level: 2)), "p.zst")
        let leaks = try Self.leaks(directory)
        #expect(
            leaks == [
                "/a/plain contents plain", "/b64 contents base64", "/dir-*** name plain",
                "/link linkTarget hexadecimal", "/p.gz unpackedContents plain", "/p.zst unpackedContents plain",
            ])
    }

    @Test("a file of two names is reported once, a damaged packed file is searched as far as it goes")
    func linksAndDamage() throws {
        let directory = try TemporaryDirectory("leaks")
        try directory.write("one", Self.secret)
        #expect(link(directory("one"), directory("two")) == 0)
        let packed = try Self.packed("x \(Self.secret) y" + String(repeating: "z", count: 1000), .gzip(level: 0))
        try directory.write(bytes: Array(packed.dropLast(20)), "cut.gz")
        try directory.write(bytes: [0x1F, 0x8B, 1, 2, 3, 4, 5, 6] + Array(Self.secret.utf8), "no.gz")
        #expect(
            try Self.leaks(directory) == [
                "/cut.gz contents plain", "/no.gz contents plain", "/one contents plain",
            ])
    }

    @Test("holes are passed over, and data behind them is not")
    func sparse() throws {
        let directory = try TemporaryDirectory("leaks")
        let path = try directory.write("sparse")
        let file = try Syscall.open(path, [.writeOnly])
        try file.withDescriptor { descriptor in
            try Syscall.truncate(descriptor, to: 8 << 30)
            try Syscall.seek(descriptor, to: 5 << 30)
            try Array(Self.secret.utf8).withUnsafeBytes { try Syscall.writeAll(descriptor, $0) }
        }
        let start = ContinuousClock.now
        #expect(try Self.leaks(directory) == ["/sparse contents plain"])
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("finds attributes of files and directories")
    func attributes() throws {
        let directory = try TemporaryDirectory("leaks")
        try directory.write("file", "x")
        do throws(Errno) {
            try Syscall.open(directory("file"), [.readOnly]).withDescriptor { (file) throws(Errno) in
                try ExtendedAttributes.set(
                    ExtendedAttribute(name: "user.key", value: Array(Self.secret.utf8)), on: file)
            }
        } catch {
            // A temporary directory without user attributes: then there are none to be found.
            #expect(error == .notSupported)
            print("steps aside: the temporary directory has no user attributes")
            return
        }
        #expect(try Self.leaks(directory) == ["/file attribute(\"user.key\") plain"])
    }

    @Test("names at most 20 places")
    func limit() throws {
        let directory = try TemporaryDirectory("leaks")
        for number in 0..<30 { try directory.write("file-\(number)", Self.secret) }
        #expect(try Self.leaks(directory).count == LeakScan.reportLimit)
    }

    @Test("the whole of a large secret is found, and nothing that only begins like it")
    func large() throws {
        let directory = try TemporaryDirectory("leaks")
        let text = (0..<6000).map { "line \($0) of a secret that is large\n" }.joined()
        let patterns = SecretPatterns([NamedSecret(id: "large", value: Redacted(Array(text.utf8)))])
        try directory.write("whole", text)
        try directory.write("base64", Encodings.folded(Encodings.base64(Array(text.utf8)), 76))
        try directory.write("begin", String(text.prefix(2000)))
        let leaks = try LeakScan(patterns).leaks(in: directory.path, cancellation: Cancellation())
        #expect(leaks.map(\.path) == ["/base64", "/whole"])
    }
}
