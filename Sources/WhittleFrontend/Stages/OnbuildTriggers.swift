internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleOCI

/// What ONBUILD asks a stage to do first: the instructions that its base image carries, or those that its base stage
/// declares.
extension StageTable {
    /// Adds the triggers of the stages in `needed` that have not got theirs yet.
    ///
    /// - Returns: whether any were added; they may need further stages and images.
    mutating func addTriggers(to needed: Set<Int>, images: ResolvedImages) throws -> Bool {
        var added = false
        for index in needed.sorted() where !stages[index].hasTriggers && !stages[index].isReplaced {
            markTriggersAdded(to: index)
            let expressions = triggers(of: stages[index].origin, images: images)
            guard !expressions.isEmpty else { continue }
            let base = stages[index].base
            let location = stages[index].baseLocation
            let instructions = try expressions.map { expression in
                do {
                    return try Instruction(parsingTrigger: expression, of: base)
                } catch let error as BuildError {
                    throw BuildError.invalidTrigger(expression, of: base, at: location, cause: error)
                }
            }
            try addTriggers(instructions, to: index)
            added = true
        }
        return added
    }

    private func triggers(of origin: Origin, images: ResolvedImages) -> [String] {
        switch origin {
        case .scratch, .directory, .download: return []
        case .planned(let context): return context.plan.configuration.config.onBuild
        case .image(let request): return images[request]?.configuration.config.onBuild ?? []
        case .stage(let base):
            return stages[base].commands.compactMap { command in
                if case .onbuild(let trigger) = command.instruction.kind { trigger.expression } else { nil }
            }
        }
    }
}
