import Testing
import WhittleCore

@testable import WhittleCommands

@Suite("SecretArgument")
struct SecretArgumentTests {
    @Test(
        "reads every documented form",
        arguments: [
            ("id=key,src=./file", SecretArgument.Source.file("./file")), ("id=key,source=f", .file("f")),
            ("id=key,src=-", .standardInput), ("id=key,env=TOKEN", .environment("TOKEN")),
            ("type=file,id=key,src=f", .file("f")), ("type=env,id=TOKEN", .environment("TOKEN")),
            ("id=whittle_no_such_variable", .file("whittle_no_such_variable")),
        ])
    func forms(text: String, source: SecretArgument.Source) throws {
        #expect(try SecretArgument(parsing: text).source == source)
    }

    @Test(
        "says which part is wrong",
        arguments: [
            ("src=f", "it has no id"), ("id=a,src=f,env=B", "it has both 'src' and 'env'"),
            ("id=a,f", "'f' is not KEY=VALUE"),
            ("id=a,scr=f", "there is no option 'scr'; did you mean 'src'?"),
            ("id=a,type=vault", "the type is 'file' or 'env', not 'vault'"),
        ])
    func rejected(text: String, problem: String) throws {
        do {
            _ = try SecretArgument(parsing: text)
            Issue.record("accepted")
        } catch {
            #expect(error.code.rawValue == "invalid-secret")
            #expect(error.message == "reading '--secret \(text)': \(problem)")
        }
    }

    @Test("a missing file or variable is named, the value is not shown")
    func unavailable() throws {
        #expect(throws: BuildError.self) { try SecretArgument(parsing: "id=a,src=/nonexistent/file").value() }
        #expect(throws: BuildError.self) { try SecretArgument(parsing: "id=a,env=WHITTLE_NO_SUCH_VARIABLE").value() }
        let value = try SecretArgument(parsing: "id=a,env=PATH").value()
        #expect("\(value)" == "[redacted]")
        #expect(!value.revealed.isEmpty)
    }
}
