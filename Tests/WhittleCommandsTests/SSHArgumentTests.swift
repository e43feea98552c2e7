import Testing
import WhittleCore
import WhittleSSH
import WhittleTestKit

@testable import WhittleCommands

@Suite("SSHArgument")
struct SSHArgumentTests {
    @Test(
        "reads every documented form",
        arguments: [
            ("default", "default", []), ("", "default", []), ("=/s", "default", ["/s"]), ("github", "github", []),
            ("github=", "github", []), ("github=/a", "github", ["/a"]), ("github=/a,/b=c", "github", ["/a", "/b=c"]),
        ] as [(String, String, [String])])
    func forms(text: String, id: String, paths: [String]) throws {
        let argument = try SSHArgument(parsing: text)
        #expect(argument.id == id)
        #expect(argument.paths == paths)
    }

    @Test("refuses an empty path and a comma in the id", arguments: ["a=/x,", "a=,/x", "a,b", "a,b=/x"])
    func rejected(text: String) {
        let error = #expect(throws: BuildError.self) { try SSHArgument(parsing: text) }
        #expect(error?.code.rawValue == "invalid-ssh")
    }

    private func problem(_ text: String, environment: [String: String] = [:]) throws -> String {
        let argument = try SSHArgument(parsing: text)
        let error = #expect(throws: BuildError.self) { try argument.forward(environment: environment) }
        #expect(error?.code.rawValue == "ssh-unavailable")
        return (error?.message ?? "") + (error?.hint ?? "")
    }

    @Test("says why there is no agent or key")
    func unavailable() throws {
        let directory = try TemporaryDirectory()
        let junk = try directory.write("junk", "ssh-ed25519 AAAA")
        let locked = try directory.write("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nSECRET\n")
        #expect(try problem("default").contains("SSH_AUTH_SOCK"))
        #expect(try problem("default", environment: ["SSH_AUTH_SOCK": junk]).contains("no socket"))
        #expect(try problem("a=/no/such/file").contains("/no/such/file"))
        #expect(try problem("a=\(junk)").contains("neither a socket nor a private key"))
        let passphrase = try problem("a=\(locked)")
        #expect(passphrase.contains("passphrase") && passphrase.contains("ssh-add"))
        #expect(!passphrase.contains("SECRET"))
    }
}
