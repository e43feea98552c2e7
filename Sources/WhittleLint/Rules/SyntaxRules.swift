internal import WhittleCore
internal import WhittleDockerfile

/// Rules that look at one instruction as it is written.
enum SyntaxRules {
    /// - Parameter end: instructions that begin on this line or below are not looked at; `nil` for all.
    static func check(_ dockerfile: RawDockerfile, before end: Int?, into list: inout FindingList) {
        checkContinuations(dockerfile, into: &list)
        for instruction in dockerfile.instructions {
            if let end, instruction.range.start.line >= end { break }
            switch instruction.known {
            case .maintainer, .from, .arg: break
            default: continue
            }
            list.enter(comments: instruction.comments)
            let place = LintPlace(instruction)
            switch instruction.known {
            case .maintainer:
                list.add(
                    .maintainerDeprecated,
                    "MAINTAINER is deprecated; write LABEL org.opencontainers.image.authors=\"NAME\"", at: place)
            case .from: checkFrom(instruction, into: &list, at: place)
            case .arg:
                let names = instruction.arguments.map { String($0.text.prefix { $0 != "=" }) }
                checkDescription("ARG", names, instruction.comments, into: &list, at: place)
            default: break
            }
        }
    }

    /// One finding for each instruction, on its last line in front of heredocs.
    private static func checkContinuations(_ dockerfile: RawDockerfile, into list: inout FindingList) {
        var empty = dockerfile.emptyContinuations[...]
        for instruction in dockerfile.instructions {
            guard let first = empty.first else { return }
            let last = instruction.heredocs.first.map { $0.body.start.line - 1 } ?? instruction.lines.upperBound
            guard first.start.line <= last else { continue }
            empty = empty.drop { $0.start.line <= last }
            list.addForFile(
                .noEmptyContinuation, "line \(first.start.line) is empty inside a continued instruction",
                at: LintPlace(lines: last...last, range: first))
        }
    }

    private static func checkFrom(
        _ instruction: RawInstruction, into list: inout FindingList, at place: LintPlace
    ) {
        let words = instruction.arguments.map(\.text)
        if words.count == 3, words[2] != words[2].lowercased() {
            list.add(
                .stageNameCasing, "the stage name '\(words[2])' is not in lower case: '\(words[2].lowercased())'",
                at: place)
        }
        let keyword = instruction.keyword.text
        if words.count >= 3 {
            // A FROM of mixed casing is a finding of its own.
            let isLower = keyword == keyword.lowercased()
            let wanted = isLower ? words[1].lowercased() : words[1].uppercased()
            if isLower || keyword == keyword.uppercased(), words[1] != wanted {
                list.add(.fromAsCasing, "'\(words[1])' and '\(keyword)' are not in the same casing", at: place)
            }
            checkDescription("FROM", [words[2].lowercased()], instruction.comments, into: &list, at: place)
        }
    }

    /// The last comment above begins with one of `names`.
    private static func checkDescription(
        _ keyword: String, _ names: [String], _ comments: [String], into list: inout FindingList, at place: LintPlace
    ) {
        guard let comment = comments.last, let name = names.first else { return }
        guard !names.contains(String(comment.prefix { $0 != " " })) else { return }
        let shown = names.count == 1 ? name : "NAME"
        list.add(
            .invalidDefinitionDescription, "the comment above \(keyword) is not of the form '# \(shown) DESCRIPTION'",
            at: place)
    }
}
