package import WhittleCore
package import WhittleFileSystem

/// Finds what user and group names mean in an image, by its own `/etc/passwd` and `/etc/group`.
///
/// Both files are read when first needed, below the root and up to 4 MiB each, and kept. Not safe to share.
package struct UserResolver {
    private let root: RootDirectory
    private var users: AccountFile?
    private var groups: AccountFile?

    private static let limit = 4 << 20
    private static let usersPath = "/etc/passwd"
    private static let groupsPath = "/etc/group"

    /// - Parameter root: the image's root file system, as it is before the step.
    package init(root: RootDirectory) { self.root = root }

    /// The user that `USER text` means: a name or a number, optionally `:` and a group's name or number.
    ///
    /// As in Docker: a number needs no entry, and then has group 0 and home `/`. Where the text names no group, the
    /// user's own group and all those that list the user hold; where it does, only that one. Empty is root.
    ///
    /// - Throws: `BuildError` (`unknown-user`, `unknown-group`, `file-system`).
    package mutating func user(_ text: String) throws(BuildError) -> ContainerUser {
        let (name, groupName) = Self.parts(text)
        let found = try passwordEntry(of: name)
        var user: ContainerUser
        if let found {
            let home = found.rest.count > 2 ? found.rest[2] : ""
            user = ContainerUser(
                uid: found.identifier, gid: found.rest.first.flatMap(AccountNumber.parse) ?? 0,
                home: home.utf8.first == UInt8(ascii: "/") ? home : "/")
        } else {
            user = ContainerUser(uid: try identifier(name, what: "user"), gid: 0)
        }
        if let groupName {
            user.gid = try group(groupName)
        } else if let found {
            user.additionalGroups = try groupsListing(found.name)
        }
        return user
    }

    /// The owner that `--chown=text` means: a name or a number, optionally `:` and a group's name or number.
    ///
    /// As in Docker: a number alone is the group as well, a name alone takes its own group. A name that the image does not
    /// have is root, as in BuildKit; a group that it does not have leaves the user's.
    ///
    /// - Parameter unknown: called with an error (`unknown-user`, `unknown-group`) that says which name that was.
    /// - Throws: `BuildError` (`file-system`; `unknown-user` and `unknown-group` for numbers out of range).
    package mutating func owner(_ text: String, unknown: (BuildError) -> Void) throws(BuildError) -> FileOwner {
        let (name, groupName) = Self.parts(text)
        var owner: FileOwner
        if AccountNumber.isNumeric(name) {
            let number = try identifier(name, what: "user")
            owner = FileOwner(uid: number, gid: number)
        } else {
            let entry = try known(unknown) { (resolver) throws(BuildError) in try resolver.passwordEntry(of: name) }
            owner = FileOwner(
                uid: entry??.identifier ?? 0, gid: entry??.rest.first.flatMap(AccountNumber.parse) ?? 0)
        }
        guard let groupName else { return owner }
        if AccountNumber.isNumeric(groupName) {
            owner.gid = try group(groupName)
        } else if let group = try known(unknown, { (resolver) throws(BuildError) in try resolver.group(groupName) }) {
            owner.gid = group
        }
        return owner
    }

    /// What `find` finds; `nil`, and told to `unknown`, for a name that the image does not have.
    private mutating func known<Found>(
        _ unknown: (BuildError) -> Void, _ find: (inout Self) throws(BuildError) -> Found
    ) throws(BuildError) -> Found? {
        do throws(BuildError) {
            return try find(&self)
        } catch {
            guard error.code == .unknownUser || error.code == .unknownGroup else { throw error }
            unknown(error)
            return nil
        }
    }

    /// The user part, and the group part where there is one.
    private static func parts(_ text: String) -> (user: String, group: String?) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts[0], parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil)
    }

    /// The entry of a name or number; `nil` for a number, or for root, without one.
    private mutating func passwordEntry(of name: String) throws(BuildError) -> AccountFile.Entry? {
        let file = try load(&users, Self.usersPath, minimumFields: 4)
        let wanted = name.isEmpty ? "0" : name
        if let entry = file?.entry(named: wanted) { return entry }
        if AccountNumber.isNumeric(wanted) {
            let number = AccountNumber.parse(wanted)
            return file?.entries.first { $0.identifier == number }
        }
        if wanted == "root" { return nil }
        throw BuildError.unknownUser(wanted, path: Self.usersPath, known: file?.entries.map { $0.name })
    }

    private mutating func group(_ name: String) throws(BuildError) -> UInt32 {
        let file = try load(&groups, Self.groupsPath, minimumFields: 3)
        if let entry = file?.entry(named: name) { return entry.identifier }
        if AccountNumber.isNumeric(name) { return try identifier(name, what: "group") }
        if name == "root" { return 0 }
        throw BuildError.unknownGroup(name, path: Self.groupsPath, known: file?.entries.map { $0.name })
    }

    /// The groups that have `user` in their list of members.
    private mutating func groupsListing(_ user: String) throws(BuildError) -> [UInt32] {
        let file = try load(&groups, Self.groupsPath, minimumFields: 3)
        return file?.entries.filter { group in
            group.rest.first?.utf8.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual(user.utf8) } ?? false
        }.map { $0.identifier } ?? []
    }

    /// A number that the kernel takes, and that is no sign of an overflow: up to 2³¹ - 1, as in Docker.
    private func identifier(_ text: String, what: String) throws(BuildError) -> UInt32 {
        let number = text.isEmpty || text == "root" ? 0 : AccountNumber.parse(text)
        guard let number, number <= UInt32(Int32.max) else { throw BuildError.identifierOutOfRange(text, what: what) }
        return number
    }

    private func load(
        _ file: inout AccountFile?, _ path: String, minimumFields: Int
    ) throws(BuildError) -> AccountFile? {
        if file == nil, let bytes = try root.bytes(ofFileAt: path, limit: Self.limit) {
            file = AccountFile(bytes, minimumFields: minimumFields)
        }
        return file
    }
}
