internal import ArgumentParser
internal import Glibc
internal import WhittleFileSystem

/// The option that every command which uses the store has.
struct StoreOptions: ParsableArguments {
    @Option(
        name: .customLong("root"),
        help: ArgumentHelp(
            "Keep images, layers and the cache in this directory.",
            discussion: """
                Without it: $WHITTLE_ROOT, else /var/lib/whittle for root, else $XDG_DATA_HOME/whittle \
                (~/.local/share/whittle).
                """,
            valueName: "directory"))
    var root: String?

    /// The store's directory, absolute.
    var directory: String {
        if let root, !root.isEmpty { return Self.absolute(root) }
        if let root = Self.variable("WHITTLE_ROOT") { return Self.absolute(root) }
        if StartingUser.isRoot { return "/var/lib/whittle" }
        let data = Self.variable("XDG_DATA_HOME") ?? (Self.variable("HOME") ?? "") + "/.local/share"
        return data + "/whittle"
    }

    /// The value of an environment variable, or `nil` where it is unset or empty.
    static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The value of an environment variable, or `nil` where it is unset.
    static func set(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// `path` seen from the working directory.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }
}
