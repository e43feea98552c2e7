internal import WhittleDockerfile

/// What a stage asks of whoever builds it.
struct StageOutline {
    private(set) var arguments: [String: DeclaredArgument] = [:]
    private(set) var secrets: [String: Needed] = [:]
    private(set) var sockets: [String: Needed] = [:]
    private(set) var caches: [String: Needed] = [:]

    /// A mount, at the first instruction that has it.
    struct Needed {
        let lines: ClosedRange<Int>
        let isRequired: Bool
    }

    mutating func add(_ argument: DeclaredArgument) { arguments[argument.name] = argument }

    mutating func add(_ mount: RunMount, lines: ClosedRange<Int>) {
        let needed = Needed(lines: lines, isRequired: mount.isRequired)
        func note(_ id: String, in list: inout [String: Needed]) {
            if list[id] == nil { list[id] = needed }
        }
        let target = mount.target ?? ""
        switch mount.type {
        case .secret:
            let id = mount.source ?? mount.id ?? target.split(separator: "/").last.map { String($0) } ?? ""
            if !id.isEmpty { note(id, in: &secrets) }
        case .ssh: note(mount.id ?? "default", in: &sockets)
        case .cache: note(mount.id ?? target, in: &caches)
        case .bind, .tmpfs: break
        }
    }
}
