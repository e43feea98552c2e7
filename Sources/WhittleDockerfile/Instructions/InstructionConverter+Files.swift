internal import WhittleCore

extension InstructionConverter {
    func from(_ raw: RawInstruction) throws(BuildError) -> Instruction.From {
        let arguments = raw.arguments
        let hasName = arguments.count == 3 && GoCase.folded(arguments[1].text) == "as"
        guard arguments.count == 1 || hasName else { throw wrongFrom(raw) }
        if hasName {
            guard Self.isStageName(GoCase.lowercased(arguments[2].text)) else {
                throw .badStageName(arguments[2].text, at: location(arguments[2].range))
            }
        }
        let flags = try FlagReader(raw, FlagReader.Known(values: ["platform"]), source: source)
        return Instruction.From(
            image: arguments[0], name: hasName ? arguments[2] : nil, platform: flags.value("platform"))
    }

    private static func isStageName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "-_.".utf8.contains(byte)
        }
    }

    /// A FROM of two arguments or too many: what probably happened to it.
    private func wrongFrom(_ raw: RawInstruction) -> BuildError {
        let arguments = raw.arguments
        let glued = GluedInstruction(in: raw)
        for flag in raw.flags {
            if let markup = MarkupInText(flag) {
                return .markupInText(markup, also: glued, at: location(flag.range))
            }
        }
        for word in arguments {
            if let markup = MarkupInText(word.text) {
                return .markupInText(markup, also: glued, at: location(word.range))
            }
        }
        if let glued { return .gluedInstruction(glued, at: location(glued.place)) }
        if arguments.isEmpty {
            return .wrongArgumentCount("FROM", found: "no image", hint: "write 'FROM IMAGE [AS NAME]'", at: place(raw))
        }
        if let comment = arguments.first(where: { $0.text.hasPrefix("#") }) {
            return .wrongArgumentCount(
                "FROM", found: "a comment behind it that counts as arguments",
                hint: "put the comment on a line of its own", at: location(comment.range))
        }
        let extra = arguments.count > 1 && GoCase.folded(arguments[1].text) == "as" ? 3 : 1
        guard extra < arguments.count else {
            return .wrongArgumentCount(
                "FROM", found: "no stage name after AS", hint: "write 'FROM IMAGE AS NAME'",
                at: location(arguments[arguments.count - 1].range))
        }
        return .wrongArgumentCount(
            "FROM", found: "the further argument '\(Excerpt.of(arguments[extra].text))'",
            hint: "FROM has an image, and with AS a stage name: 'FROM IMAGE [AS NAME]'",
            at: location(arguments[extra].range))
    }

    func copy(_ raw: RawInstruction) throws(BuildError) -> Instruction.Copy {
        try requireDestination(raw)
        let flags = try FlagReader(
            raw,
            FlagReader.Known(switches: ["link", "parents"], values: ["from", "chown", "chmod"], lists: ["exclude"]),
            source: source)
        let (sources, destination) = try sourcesAndDestination(raw)
        return Instruction.Copy(
            sources: sources, destination: destination, from: flags.value("from"), chown: flags.value("chown"),
            chmod: flags.value("chmod"), isLinked: flags.isOn("link") ?? false,
            keepsParents: flags.isOn("parents") ?? false, excludes: flags.list("exclude"))
    }

    func add(_ raw: RawInstruction) throws(BuildError) -> Instruction.Add {
        try requireDestination(raw)
        let known = FlagReader.Known(
            switches: ["link", "keep-git-dir", "unpack"], values: ["chown", "chmod", "checksum"], lists: ["exclude"])
        let flags = try FlagReader(raw, known, source: source)
        let (sources, destination) = try sourcesAndDestination(raw)
        return Instruction.Add(
            sources: sources, destination: destination, chown: flags.value("chown"), chmod: flags.value("chmod"),
            checksum: flags.value("checksum"), isLinked: flags.isOn("link") ?? false,
            keepsGitDirectory: flags.isOn("keep-git-dir"), unpacks: flags.isOn("unpack"),
            excludes: flags.list("exclude"))
    }

    private func requireDestination(_ raw: RawInstruction) throws(BuildError) {
        guard raw.arguments.count < 2 else { return }
        let found = raw.arguments.isEmpty ? "no arguments" : "only one argument"
        // `--chown 1:1 a b` loses its value to the arguments; here it is the destination that is missing.
        throw .wrongArgumentCount(
            name(raw), found: found, hint: "write '\(name(raw)) SOURCE… DESTINATION'",
            at: raw.arguments.first.map { location($0.range) } ?? place(raw))
    }

    private func sourcesAndDestination(
        _ raw: RawInstruction
    ) throws(BuildError) -> (sources: [Instruction.FileSource], destination: Token) {
        let destination = raw.arguments[raw.arguments.count - 1]
        if Self.heredoc(destination) != nil {
            throw .heredocDestination(name(raw), at: location(destination.range))
        }
        var sources: [Instruction.FileSource] = []
        // Of several heredocs with one name, the last has the say.
        let bodies = Dictionary(raw.heredocs.map { ($0.name, $0) }) { _, last in last }
        for argument in raw.arguments.dropLast() {
            guard let word = Self.heredoc(argument) else {
                sources.append(.path(argument))
                continue
            }
            let body = bodies[word.name]
            var text = body?.content ?? ""
            if word.chomps { text = Heredoc.withoutLeadingTabs(text) }
            sources.append(
                .inline(
                    name: word.name, text: text, expands: body?.expands ?? word.expands, at: argument.range))
        }
        return (sources, destination)
    }

    private static func heredoc(_ argument: Token) -> HeredocWord? {
        guard argument.text.utf8.contains(UInt8(ascii: "<")) else { return nil }
        return HeredocWord(Array(argument.text.utf8))
    }
}
