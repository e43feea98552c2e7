internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// COPY and ADD: file vertices.
extension StageLowering {
    mutating func lower(_ copy: Instruction.Copy, from dependency: Dependency?) throws {
        for source in copy.sources {
            guard case .path(let token) = source, RemoteSource(expansion.quiet(token, state.environment)) != nil
            else { continue }
            throw BuildError.remoteCopy(token.text, at: location(of: token.range))
        }
        let transfer = FileTransfer(
            sources: copy.sources, destination: copy.destination, chown: copy.chown, chmod: copy.chmod,
            isLinked: copy.isLinked, keepsParents: copy.keepsParents, excludes: copy.excludes.map(\.text),
            unpacks: .never)
        if let dependency {
            try lower(transfer, from: try files(of: dependency) ?? output.empty(), isContext: false)
        } else {
            try lower(transfer, from: context, isContext: true)
        }
    }

    mutating func lower(_ add: Instruction.Add) throws {
        let transfer = FileTransfer(
            sources: add.sources, destination: add.destination, chown: add.chown, chmod: add.chmod,
            isLinked: add.isLinked, keepsParents: false, excludes: add.excludes.map(\.text),
            unpacks: add.unpacks ?? true ? .archives : .never,
            remote: FileTransfer.Remote(
                unpacks: add.unpacks ?? false ? .archives : .never, checksum: try checksum(of: add),
                commit: try commit(of: add), keepsRepository: add.keepsGitDirectory))
        try lower(transfer, from: context, isContext: true)
    }

    /// The build context as a source.
    private var context: Edge { output.source(ofDirectory: "context", ignore: options.ignore) }

    // MARK: Shared

    private mutating func lower(
        _ transfer: FileTransfer, from files: Edge, isContext: Bool
    ) throws {
        try checkTrailingComment()
        let words = try expand(transfer)
        var inputs: [Edge] = []
        func input(_ edge: Edge) -> Int {
            if let position = inputs.firstIndex(of: edge) { return position }
            inputs.append(edge)
            return inputs.count - 1
        }
        let isLinked = transfer.isLinked && words.mode == nil
        var base: Int?
        if !isLinked, let root = state.root { base = input(root) }
        var actions: [FileAction] = []
        let template = CopyAction(
            input: 0, sources: [], destination: words.destination, owner: words.owner, mode: words.mode,
            keepsParents: transfer.keepsParents, excludePatterns: transfer.excludes, unpacks: transfer.unpacks)
        var local = template
        /// Adds the copy of the paths so far, so that sources of all kinds apply in their order.
        func finishLocal() {
            guard !local.sources.isEmpty else { return }
            local.input = input(files)
            actions.append(.copy(local))
            local.sources = []
        }
        for path in words.paths {
            guard let remote = transfer.remote, let kind = RemoteSource(path.text) else {
                local.sources.append(
                    try sourcePath(path, keepsParents: transfer.keepsParents, isContext: isContext))
                continue
            }
            finishLocal()
            var copy = template
            switch kind {
            case .git:
                copy.input = input(output.source(of: .git(try repository(path, remote)), at: location(of: path.range)))
                copy.sources = ["/"]
                copy.unpacks = .never
            case .http:
                let source = try download(path, to: words.destination, remote)
                copy.input = input(output.source(of: .http(source), at: location(of: path.range)))
                copy.sources = ["/" + Self.literalPattern(source.fileName)]
                copy.unpacks = remote.unpacks
            }
            actions.append(.copy(copy))
        }
        finishLocal()
        for document in words.documents {
            let name = ContainerPath.lastPart(document.name)
            var copy = template
            copy.input = input(output.inlineDocument(document.text, name: name, mode: 0o644, at: location))
            copy.sources = ["/" + Self.literalPattern(name)]
            copy.unpacks = .never
            copy.keepsParents = false
            copy.excludePatterns = []
            actions.append(.copy(copy))
        }
        let history = historyText(transfer, words)
        let shown = expansion.shown(instructionText, variables: state.environment, keepsQuotes: false)
        addStep(
            FileOp(base: base, actions: actions, time: options.fileTime), inputs: inputs, name: stepName(shown),
            linkName: isLinked ? numbered("LINK \(shown)") : nil, history: history)
        addHistory(history, makesLayer: true)
    }

    /// Adds the vertex, and for a linked copy the one that lays its files over what was there.
    private mutating func addStep(
        _ op: FileOp, inputs: [Edge], name: String, linkName: String?, history: String
    ) {
        var metadata = metadata(name, at: location, ignoresCache: stage.ignoresCache)
        guard let linkName, let root = state.root else {
            metadata.history = history
            state.root = output.graph.add(.file(op), inputs: inputs, metadata: metadata)
            return
        }
        let copied = output.graph.add(.file(op), inputs: inputs, metadata: metadata)
        metadata.name = linkName
        metadata.origin?.instruction = "LINK \(instructionText)"
        metadata.history = history
        state.root = output.graph.add(.merge, inputs: [root, copied], metadata: metadata)
    }

    /// Refuses a lone `#` among the words: no comment can stand behind an instruction, so it and what follows would be
    /// arguments. A word that only begins with `#` may be a file's name.
    func checkTrailingComment() throws {
        guard let instruction = command?.instruction, let comment = trailingComment(in: instruction) else { return }
        let location = location(of: comment.range)
        guard comment.text == "#" || comment.text.hasPrefix("# ") else {
            return output.warn(.possibleComment(comment.text, instruction: instruction.name, at: location))
        }
        throw BuildError.trailingComment(instruction: instruction.name, at: location)
    }

    private func expand(_ transfer: FileTransfer) throws -> FileTransfer.Words {
        var words = FileTransfer.Words()
        for source in transfer.sources {
            switch source {
            case .path(let token):
                words.paths.append(
                    FileTransfer.Path(text: try expand(token), range: token.range))
            case .inline(let name, let text, let expands, let range):
                guard expands else {
                    words.documents.append((name, text))
                    continue
                }
                let document = try expansion.document(text, variables: state.environment, at: location(of: range))
                output.spend(document.text.utf8.count)
                words.documents.append((name, document.text))
            }
        }
        words.writtenDestination = try expand(transfer.destination)
        words.destination = ContainerPath.destination(words.writtenDestination, in: state.workingDirectory)
        words.writtenOwner = try transfer.chown.map { try expand($0) } ?? ""
        if let chown = transfer.chown, !words.writtenOwner.isEmpty {
            do throws(OwnerText.Invalid) {
                words.owner = try OwnerText.parse(words.writtenOwner)
            } catch {
                throw BuildError.invalidOwner(words.writtenOwner, error, at: location(of: chown.range))
            }
        }
        if let chmod = transfer.chmod {
            let mode = try expand(chmod)
            guard !mode.isEmpty else { return words }
            do throws(FileModeText.Invalid) {
                try FileModeText.check(mode)
            } catch {
                throw BuildError.invalidMode(mode, error, at: location(of: chmod.range))
            }
            words.mode = mode
        }
        return words
    }

    /// A source as the copy wants it: absolute below the root it is taken from, with the `/./` that `--parents` cuts at.
    private func sourcePath(_ path: FileTransfer.Path, keepsParents: Bool, isContext: Bool) throws -> String {
        if isContext, ContainerPath.climbsOut(path.text) {
            let taken = ContainerPath.resolve(path.text, in: "/")
            output.warn(.contextEscape(path.text, taken: String(taken.dropFirst()), at: location(of: path.range)))
        }
        guard keepsParents, let pivot = Self.pivot(in: path.text) else {
            return ContainerPath.resolve(path.text, in: "/")
        }
        let head = ContainerPath.resolve(String(path.text[..<pivot.lowerBound]), in: "/")
        let tail = ContainerPath.resolve(String(path.text[pivot.upperBound...]), in: "/")
        return (head == "/" ? "" : head) + "/." + tail
    }

    /// The first `/./`.
    private static func pivot(in path: String) -> Range<String.Index>? {
        var index = path.startIndex
        while let slash = path[index...].firstIndex(of: "/") {
            if path[slash...].hasPrefix("/./") { return slash..<path.index(slash, offsetBy: 3) }
            index = path.index(after: slash)
        }
        return nil
    }

    /// `name` as a pattern that matches nothing else.
    private static func literalPattern(_ name: String) -> String {
        name.reduce(into: "") { result, character in
            if "*?[\\".contains(character) { result += "\\" }
            result.append(character)
        }
    }

    private func historyText(_ transfer: FileTransfer, _ words: FileTransfer.Words) -> String {
        var text = command?.instruction.name ?? "COPY"
        if transfer.keepsParents { text += " --parents" }
        if !words.writtenOwner.isEmpty { text += " --chown=\(words.writtenOwner)" }
        if let mode = words.mode { text += " --chmod=\(mode)" }
        for path in words.paths { text += " \(path.text)" }
        for document in words.documents { text += " <<\(document.name)" }
        return "\(text) \(words.writtenDestination) # buildkit"
    }
}

/// What COPY and ADD have in common.
struct FileTransfer {
    let sources: [Instruction.FileSource]
    let destination: Token
    let chown: Token?
    let chmod: Token?
    let isLinked: Bool
    let keepsParents: Bool
    let excludes: [String]
    let unpacks: CopyAction.UnpackMode
    /// How URLs among the sources are treated; `nil` where there can be none.
    var remote: Remote?

    /// What ADD says of sources that are fetched.
    struct Remote {
        let unpacks: CopyAction.UnpackMode
        /// Of a URL.
        let checksum: Digest?
        /// The checksum of a repository.
        let commit: String?
        /// What `--keep-git-dir` says; `nil` where it is not written.
        let keepsRepository: Bool?
    }

    /// A source path after expansion.
    struct Path {
        let text: String
        /// Its place in the instruction.
        let range: SourceRange
    }

    /// The words after expansion.
    struct Words {
        var paths: [Path] = []
        var documents: [(name: String, text: String)] = []
        var writtenDestination = ""
        /// Absolute; a trailing slash means a directory.
        var destination = "/"
        var writtenOwner = ""
        var owner: Owner?
        var mode: String?
    }
}
