internal import WhittleCore

/// Lays one compose file over another: maps are merged, lists continued, everything else replaced.
enum ComposeMerge {
    /// What may be a list of `KEY=VALUE` instead of a map, and is merged as a map.
    private static let pairs: [String: Set<Character>] = [
        "args": ["="], "labels": ["="], "additional_contexts": ["="], "extra_hosts": ["=", ":"],
    ]

    /// A file in the long form: `build` a map, and what has keys a map too.
    ///
    /// - Throws: `bake-invalid`.
    static func normalised(_ root: ValueReader) throws(BuildError) -> BakeValue {
        var value = root.value
        guard let services = root["services"] else { return value }
        var result: [BakeValue.Member] = []
        for (name, service) in try services.members() {
            _ = try service.members()
            var changed = service.value
            if let build = service["build"] { changed["build"] = try normalisedBuild(build) }
            result.append(BakeValue.Member(key: name, value: changed))
        }
        value["services"] = BakeValue(.map(result), at: services.value.place)
        return value
    }

    private static func normalisedBuild(_ build: ValueReader) throws(BuildError) -> BakeValue {
        if build.value.scalar != nil {
            return BakeValue(.map([BakeValue.Member(key: "context", value: build.value)]), at: build.value.place)
        }
        var value = build.value
        for (key, member) in try build.members() {
            guard let separators = pairs[key], case .list(let elements) = member.value.kind else { continue }
            _ = try member.texts()
            let members = elements.map { element in
                let text = element.scalar ?? ""
                let mark = text.firstIndex { separators.contains($0) }
                return BakeValue.Member(
                    key: mark.map { String(text[..<$0]) } ?? text,
                    value: BakeValue(
                        mark.map { .text(String(text[text.index(after: $0)...])) } ?? .null, at: element.place))
            }
            value[key] = merge(BakeValue(.map([])), BakeValue(.map(members), at: member.value.place))
        }
        return value
    }

    static func merge(_ below: BakeValue, _ above: BakeValue) -> BakeValue {
        switch (below.kind, above.kind) {
        case (.map(var members), .map(let others)):
            for other in others {
                if let position = members.firstIndex(where: { $0.key == other.key }) {
                    members[position].value = merge(members[position].value, other.value)
                } else {
                    members.append(other)
                }
            }
            return BakeValue(.map(members), at: above.place)
        case (.list(let elements), .list(let others)):
            let kinds = elements.map(\.kind)
            return BakeValue(.list(elements + others.filter { !kinds.contains($0.kind) }), at: above.place)
        case (_, .null): return below
        default: return above
        }
    }
}
