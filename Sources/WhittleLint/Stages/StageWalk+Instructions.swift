internal import WhittleCore
internal import WhittleDockerfile

/// The instructions, each with its rules.
extension StageWalk {
    mutating func look(
        at command: StageLinks.Command, _ scope: inout StageScope, _ visit: inout StageVisit
    ) {
        visit.reported = []
        switch command.instruction.kind {
        case .from, .onbuild, .maintainer: break
        case .env(let assignments): environment(assignments, command, &scope, &visit)
        case .label(let assignments):
            for assignment in assignments {
                if assignment.isLegacy { legacy("LABEL", command) }
                _ = expand(assignment.name.text, in: scope, &visit, command)
                _ = expand(assignment.value.text, in: scope, &visit, command)
            }
        case .arg(let declarations):
            for declaration in declarations { argument(declaration, command, &scope, &visit) }
        case .run(let run): mounts(of: run, command, scope, &visit)
        case .copy(let copy):
            let words = [copy.chown, copy.chmod, copy.destination].compactMap { $0 }
            files(copy.sources, words, "COPY", isContext: copy.from == nil, command, scope, &visit)
        case .add(let add):
            let words = [add.chown, add.chmod, add.checksum, add.destination].compactMap { $0 }
            files(add.sources, words, "ADD", isContext: true, command, scope, &visit)
        case .workdir(let path):
            let path = expand(path.text, in: scope, &visit, command)
            if !scope.hasWorkingDirectory, !Self.isAbsolute(path, scope.platform) {
                list.add(
                    .workdirRelativePath,
                    "WORKDIR '\(path.prefix(200))' is relative, and no WORKDIR above it in this file is absolute",
                    at: command.place)
            }
            scope.hasWorkingDirectory = true
        case .user(let token), .stopsignal(let token): _ = expand(token.text, in: scope, &visit, command)
        case .volume(let tokens):
            for token in tokens { _ = expand(token.text, in: scope, &visit, command) }
        case .expose(let tokens): ports(tokens, command, scope)
        case .cmd(let line): once("CMD", line, command, scope, &visit)
        case .entrypoint(let line): once("ENTRYPOINT", line, command, scope, &visit)
        case .healthcheck: once("HEALTHCHECK", nil, command, scope, &visit)
        case .shell: scope.hasShell = true
        }
    }

    private mutating func legacy(_ keyword: String, _ command: StageLinks.Command) {
        list.add(
            .legacyKeyValueFormat,
            "\(keyword) has no '=': write '\(keyword) NAME=VALUE' instead of '\(keyword) NAME VALUE'",
            at: command.place)
    }

    private mutating func environment(
        _ assignments: [Instruction.Assignment], _ command: StageLinks.Command, _ scope: inout StageScope,
        _ visit: inout StageVisit
    ) {
        // Every value sees the variables as they were before the instruction.
        var expanded: [(name: String, value: String)] = []
        for assignment in assignments {
            let name = expand(assignment.name.text, in: scope, &visit, command)
            expanded.append((name, expand(assignment.value.text, in: scope, &visit, command)))
            if assignment.isLegacy { legacy("ENV", command) }
            secret(name, "ENV", command)
        }
        for (name, value) in expanded { scope.set(name, value) }
    }

    private mutating func argument(
        _ declaration: Instruction.ArgumentDeclaration, _ command: StageLinks.Command, _ scope: inout StageScope,
        _ visit: inout StageVisit
    ) {
        let name = declaration.name.text
        secret(name, "ARG", command)
        var argument = DeclaredArgument(name, command.instruction, lines: command.place.lines)
        if let given = request.arguments[name] {
            argument.value = given
        } else if let token = declaration.value {
            argument.value = expand(token.text, in: scope, &visit, command)
        } else if let value = globals.values[name] {
            // It is the one above the first FROM, which is what an outline tells of.
            argument.value = value
            noteGlobals([name], in: visit.stage)
            scope.set(name, value)
            scope.declared.insert(name)
            return
        }
        if let value = argument.value, !Self.silent.contains(name) { scope.set(name, value) }
        outlines[visit.stage].add(argument)
        scope.declared.insert(name)
    }

    /// The words of a variable's name that speak of a secret, and those that take it back.
    private static let secretWords: Set<String> = [
        "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token",
    ]
    private static let harmlessWords: Set<String> = ["public", "file", "version"]

    private mutating func secret(_ name: String, _ keyword: String, _ command: StageLinks.Command) {
        let words = name.lowercased().split(separator: "_").map { String($0) }
        guard !Self.secretWords.isDisjoint(with: words), Self.harmlessWords.isDisjoint(with: words) else { return }
        list.add(
            .secretsUsedInArgOrEnv,
            "\(keyword) '\(name.prefix(100))' seems to hold a secret; give it to the step that needs it with RUN --mount=type=secret",
            at: command.place)
    }

    private mutating func mounts(
        of run: Instruction.Run, _ command: StageLinks.Command, _ scope: StageScope, _ visit: inout StageVisit
    ) {
        for flag in run.mounts {
            var unset: Set<String> = []
            // A mount that cannot be read is an error of the build.
            let mount = try? flag.mount { text in
                guard let word = expander.word(text, scope.values) else { return text }
                unset.formUnion(word.unset)
                return word.text
            }
            for name in unset.sorted() { undefined(name, in: scope, &visit, command) }
            if let mount { outlines[visit.stage].add(mount, lines: command.place.lines) }
        }
    }

    private mutating func files(
        _ sources: [Instruction.FileSource], _ words: [Token], _ keyword: String, isContext: Bool,
        _ command: StageLinks.Command, _ scope: StageScope, _ visit: inout StageVisit
    ) {
        for source in sources {
            switch source {
            case .path(let token):
                let path = expand(token.text, in: scope, &visit, command)
                if isContext { ignored(path, keyword, command) }
            case .inline(_, let text, let expands, _):
                if expands { _ = expand(text, in: scope, &visit, command, isDocument: true) }
            }
        }
        for token in words { _ = expand(token.text, in: scope, &visit, command) }
    }

    /// Patterns with exceptions are not judged: whether something below a directory comes back is seen on the disk.
    private mutating func ignored(_ path: String, _ keyword: String, _ command: StageLinks.Command) {
        guard let ignore = request.ignore, !ignore.hasExceptions, !ContextPath.isRemote(path) else { return }
        let clean = ContextPath.clean(path)
        let isRoot = clean == "." || clean.isEmpty
        guard isRoot ? ContextPath.leavesOutEverything(ignore) : ignore.excludes(clean) else { return }
        list.add(
            .copyIgnoredFile,
            "\(keyword) takes '\(clean.isEmpty ? "/" : clean)', which '\(request.ignoreFile ?? ".dockerignore")' leaves out of the build context",
            at: command.place)
    }

    private mutating func ports(_ tokens: [Token], _ command: StageLinks.Command, _ scope: StageScope) {
        for word in tokens.flatMap({ expander.fields($0.text, scope.values) }) {
            var parts = word.split(separator: ":", omittingEmptySubsequences: false)
            guard let port = parts.popLast(), port.first != "/", !port.isEmpty else { continue }
            let slash = port.firstIndex(of: "/")
            let transport = slash.map { String(port[port.index(after: $0)...]) } ?? ""
            guard ["", "tcp", "udp", "sctp"].contains(transport.lowercased()) else { continue }
            if transport != transport.lowercased() {
                list.add(
                    .exposeProtoCasing, "the protocol of '\(word.prefix(100))' is not in lower case", at: command.place)
            }
            if parts.contains(where: { !$0.isEmpty }) {
                list.add(
                    .exposeInvalidFormat,
                    "EXPOSE '\(word.prefix(100))' has an address or a host port; they are set when a container is run",
                    at: command.place)
            }
        }
    }

    private mutating func once(
        _ keyword: String, _ line: Instruction.CommandLine?, _ command: StageLinks.Command, _ scope: StageScope,
        _ visit: inout StageVisit
    ) {
        if let before = visit.last.updateValue(command.place, forKey: keyword) {
            // At the one that has no effect.
            list.add(
                .multipleInstructionsDisallowed,
                "this \(command.instruction.keyword.text) has no effect: another one follows in the stage", at: before)
        }
        guard let line, line.isShell, !scope.hasShell else { return }
        list.add(
            .jsonArgsRecommended,
            "\(command.instruction.keyword.text) is run by a shell, which does not pass signals on; write a JSON array, [\"PROGRAM\", \"ARGUMENT\"]",
            at: command.place)
    }

    private static func isAbsolute(_ path: String, _ platform: Platform) -> Bool {
        if path.hasPrefix("/") { return true }
        guard platform.os == "windows" else { return false }
        let bytes = Array(path.utf8.prefix(3))
        return bytes.first == UInt8(ascii: "\\") || bytes.count == 3 && bytes[1] == UInt8(ascii: ":")
    }
}
