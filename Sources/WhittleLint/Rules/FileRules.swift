internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleOCI

/// Rules about the instructions of a file together, and about FROM with its variables.
enum FileRules {
    /// Names that no stage should have.
    private static let reserved: Set<String> = ["scratch", "context"]

    static func checkNames(_ dockerfile: Dockerfile, into list: inout FindingList) {
        var seen: Set<String> = []
        for stage in dockerfile.stages {
            guard let name = stage.name, !name.isEmpty else { continue }
            let place = LintPlace(stage.instruction)
            if reserved.contains(name) {
                list.addForFile(.reservedStageName, "the stage name '\(name)' is reserved", at: place)
            }
            if !seen.insert(name).inserted {
                list.addForFile(.duplicateStageName, "another stage above is named '\(name)'", at: place)
            }
        }
    }

    /// Counted are stages with their instructions; an ARG above the first FROM is in nobody's way.
    static func checkCasing(_ dockerfile: Dockerfile, into list: inout FindingList) {
        let instructions = dockerfile.stages.flatMap { [$0.instruction] + $0.instructions }
        var lower = 0
        var upper = 0
        for instruction in instructions {
            let keyword = instruction.keyword.text
            if keyword == keyword.lowercased() { lower += 1 } else if keyword == keyword.uppercased() { upper += 1 }
        }
        let wantsLower = lower > upper
        for instruction in instructions {
            let keyword = instruction.keyword.text
            guard keyword != (wantsLower ? keyword.lowercased() : keyword.uppercased()) else { continue }
            list.addForFile(
                .consistentInstructionCasing,
                "'\(keyword)' is not in the casing of most instructions of the file, which is \(wantsLower ? "lower" : "upper") case",
                at: LintPlace(instruction))
        }
    }

    /// Expands each FROM with the defaults alone.
    static func checkDefaults(
        _ dockerfile: Dockerfile, _ request: LintRequest, expander: LintExpander, into list: inout FindingList
    ) {
        // A default that cannot be expanded fails the build as well, which tells more of it.
        guard let defaults = try? GlobalArguments(dockerfile, request, expander: expander, usesArguments: false) else {
            return
        }
        for stage in dockerfile.stages {
            guard let word = expander.word(stage.from.image.text, defaults.values) else { return }
            // What is wrong with the name is said by the build that has no argument for it.
            guard (try? ImageReference(parsing: word.text)) == nil else { continue }
            list.addForFile(
                .invalidDefaultArgInFrom,
                "without build arguments, '\(stage.from.image.text)' is "
                    + (word.text.isEmpty ? "empty" : "'\(word.text.prefix(200))', which is no image name"),
                at: LintPlace(stage.instruction))
        }
    }

    /// The variables and the platform of a FROM.
    static func checkFrom(
        _ stage: Stage, _ globals: GlobalArguments, expander: LintExpander, into list: inout FindingList
    ) {
        list.enter(comments: stage.instruction.comments)
        let place = LintPlace(stage.instruction)
        func check(_ unset: Set<String>) {
            for name in unset.sorted() where !globals.isKnown(name) {
                // Looking for a near name takes time with each variable there is; nobody reads the hundredth.
                let known = list.findings.count < 100 && globals.values.count <= 1000 ? globals.names : []
                let near = NearestName.of(name, among: known).map { " (did you mean '\($0)'?)" } ?? ""
                list.add(
                    .undefinedArgInFrom, "the variable '\(name)' in FROM is no ARG above the first FROM\(near)",
                    at: place)
            }
        }
        guard let base = expander.word(stage.from.image.text, globals.values) else { return }
        check(base.unset)
        guard let flag = stage.from.platform, let word = expander.word(flag.text, globals.values) else { return }
        check(word.unset)
        if word.used == ["TARGETPLATFORM"], word.unset.isEmpty, word.text == globals.values["TARGETPLATFORM"] {
            list.add(.redundantTargetPlatform, "--platform=\(flag.text) is the default and says nothing", at: place)
        }
        guard word.used.isEmpty, word.unset.isEmpty, let platform = Platform(parsing: word.text) else { return }
        let name = stage.name ?? ""
        guard !name.contains(platform.os), !name.contains(platform.architecture) else { return }
        list.add(
            .fromPlatformFlagConstDisallowed, "--platform of FROM is the constant '\(word.text)'", at: place)
    }
}
