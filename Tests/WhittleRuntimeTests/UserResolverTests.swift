import Testing
import WhittleCore
import WhittleFileSystem
import WhittleRuntime
import WhittleTestKit

@Suite("UserResolver")
struct UserResolverTests {
    private static let users = """
        root:x:0:0:root:/root:/bin/sh
        # comment:x:1:1::/:
        short:x
        wrong:x:12a:1::/:
        app:x:1000:1001:App,,,:/home/app:/bin/sh
        1234:x:77:78::/digits:
        homeless:x:50:51::relative:
        app:x:2000:2001::/second:
        nobody:x:65534:65534:nobody:/:/sbin/nologin
        """
    private static let groups = """
        root:x:0:root
        wheel:x:10:root,app
        app:x:1001:
        audio:x:29:pulse,app
        apple:x:30:appl
        1234:x:90:
        """

    /// An image, and a resolver that has read nothing of it yet.
    private final class Image {
        let directory: TemporaryDirectory
        var resolver: UserResolver

        init(passwd: String? = users, group: String? = groups) throws {
            directory = try TemporaryDirectory("users")
            if let passwd { try directory.write("etc/passwd", passwd) }
            if let group { try directory.write("etc/group", group) }
            resolver = UserResolver(root: try RootDirectory(directory.path))
        }
    }

    static let found: [(String, ContainerUser)] = [
        ("", ContainerUser(uid: 0, gid: 0, additionalGroups: [0, 10], home: "/root")),
        ("root", ContainerUser(uid: 0, gid: 0, additionalGroups: [0, 10], home: "/root")),
        ("0", ContainerUser(uid: 0, gid: 0, additionalGroups: [0, 10], home: "/root")),
        ("app", ContainerUser(uid: 1000, gid: 1001, additionalGroups: [10, 29], home: "/home/app")),
        ("1000", ContainerUser(uid: 1000, gid: 1001, additionalGroups: [10, 29], home: "/home/app")),
        ("app:", ContainerUser(uid: 1000, gid: 1001, additionalGroups: [10, 29], home: "/home/app")),
        ("app:audio", ContainerUser(uid: 1000, gid: 29, home: "/home/app")),
        ("app:4711", ContainerUser(uid: 1000, gid: 4711, home: "/home/app")),
        ("4711", ContainerUser(uid: 4711, gid: 0, home: "/")),
        ("4711:4712", ContainerUser(uid: 4711, gid: 4712, home: "/")),
        ("1234", ContainerUser(uid: 77, gid: 78, home: "/digits")),
        ("app:1234", ContainerUser(uid: 1000, gid: 90, home: "/home/app")),
        ("homeless", ContainerUser(uid: 50, gid: 51, home: "/")),
        (":audio", ContainerUser(uid: 0, gid: 29, home: "/root")),
    ]

    @Test("finds a user as Docker does", arguments: found)
    func user(text: String, expected: ContainerUser) throws {
        let image = try Image()
        #expect(try image.resolver.user(text) == expected)
    }

    static let owners: [(String, FileOwner)] = [
        ("app", FileOwner(uid: 1000, gid: 1001)), ("55", FileOwner(uid: 55, gid: 55)),
        ("55:66", FileOwner(uid: 55, gid: 66)), ("app:wheel", FileOwner(uid: 1000, gid: 10)),
        ("55:audio", FileOwner(uid: 55, gid: 29)), ("1000", FileOwner(uid: 1000, gid: 1000)),
        ("app:0", FileOwner(uid: 1000, gid: 0)), ("root", .root), ("root:root", .root),
    ]

    @Test("finds the owner of copied files as Docker does", arguments: owners)
    func owner(text: String, expected: FileOwner) throws {
        let image = try Image()
        #expect(try image.resolver.owner(text) { _ in } == expected)
    }

    @Test("needs no files for root and for numbers", arguments: ["", "root", "0", "0:0", "root:root"])
    func emptyImage(text: String) throws {
        let image = try Image(passwd: nil, group: nil)
        #expect(try image.resolver.user(text) == ContainerUser(uid: 0, gid: 0))
        #expect(try image.resolver.owner(text) { _ in } == .root)
    }

    struct Refused: CustomTestStringConvertible, Sendable {
        let text: String
        let code: BuildError.Code
        let message: String
        let hint: String?
        var hasFiles = true
        var testDescription: String { text }
    }

    static let refused: [Refused] = [
        Refused(
            text: "nobdy", code: .unknownUser, message: "no user 'nobdy' in '/etc/passwd' of the image",
            hint: "did you mean 'nobody'?"),
        Refused(
            text: "jenkins", code: .unknownUser, message: "no user 'jenkins' in '/etc/passwd' of the image",
            hint: "create it in an earlier step (RUN useradd jenkins), or use a number"),
        Refused(
            text: "app:weel", code: .unknownGroup, message: "no group 'weel' in '/etc/group' of the image",
            hint: "did you mean 'wheel'?"),
        Refused(
            text: "app", code: .unknownUser, message: "no user 'app': the image has no file '/etc/passwd'",
            hint: "use a number: an image from scratch has no users, and COPY --link does not see those of the stage",
            hasFiles: false),
        Refused(
            text: "1:app", code: .unknownGroup, message: "no group 'app': the image has no file '/etc/group'",
            hint: "use a number: an image from scratch has no users, and COPY --link does not see those of the stage",
            hasFiles: false),
        Refused(
            text: "2147483648", code: .unknownUser, message: "user number '2147483648' is out of range",
            hint: "use a number from 0 to 2147483647"),
        Refused(
            text: "1:99999999999999999999", code: .unknownGroup,
            message: "group number '99999999999999999999' is out of range", hint: "use a number from 0 to 2147483647"),
    ]

    @Test("says which name is not there, and which one was probably meant", arguments: refused)
    func refuses(example: Refused) throws {
        let image = example.hasFiles ? try Image() : try Image(passwd: nil, group: nil)
        let error = #expect(throws: BuildError.self) { try image.resolver.user(example.text) }
        #expect(error?.code == example.code)
        #expect(error?.message == example.message)
        #expect(error?.hint == example.hint)
        var unknown: BuildError?
        do throws(BuildError) {
            let owner = try image.resolver.owner(example.text) { unknown = $0 }
            // What is not known is root's, or the user's.
            #expect(owner.uid == ["app:weel": 1000, "1:app": 1][example.text, default: 0])
            #expect(owner.gid == ["app:weel": 1001, "1:app": 1][example.text, default: 0])
        } catch {
            unknown = error
        }
        #expect(unknown?.code == example.code)
        #expect(unknown?.message == example.message)
    }

    @Test("reads the files of the image, wherever links in it point")
    func links() throws {
        let image = try Image(passwd: nil)
        try image.directory.write("real/passwd", "app:x:42:43::/:")
        try image.directory.link("etc/passwd", to: "/real/passwd")
        #expect(try image.resolver.user("app").uid == 42)
    }

    @Test("refuses a passwd file that is no file, or too long")
    func hostile() throws {
        let image = try Image(passwd: nil)
        try image.directory.makeDirectory("etc/passwd")
        let error = #expect(throws: BuildError.self) { try image.resolver.user("app") }
        #expect(error?.code == .fileSystem)

        let long = try Image(passwd: String(repeating: "a", count: 5 << 20))
        let longError = #expect(throws: BuildError.self) { try long.resolver.user("app") }
        #expect(longError?.code == .fileSystem)
    }

    @Test("takes any bytes without falling over")
    func bytes() throws {
        let image = try Image()
        let bytes = Array("\u{0}:::\n::::::\n\r\n:x:0:0:\n".utf8) + [0xff, 0x3a, 0x3a, 0x31, 0x3a]
        try RootDirectory(image.directory.path).writeFile("/etc/passwd", bytes)
        let error = #expect(throws: BuildError.self) { try image.resolver.user("nobody") }
        #expect(error?.code == .unknownUser)
    }
}
