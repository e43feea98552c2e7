internal import WhittleBake
internal import WhittleCore
internal import WhittleOCI

/// What `--print` and `--list` write, in the forms of docker buildx.
enum BakeListing {
    /// Groups and targets, each by name.
    static func document(_ selection: BakeSelection) -> String {
        var groups: JSONValue = .object(JSONObject())
        for (name, targets) in selection.groups.sorted(by: { $0.key < $1.key }) {
            groups[name] = ["targets": .array(targets.map { .string($0) })]
        }
        var targets: JSONValue = .object(JSONObject())
        for target in selection.targets.sorted(by: { $0.name < $1.name }) { targets[target.name] = target.json }
        var document: JSONValue = .object(JSONObject())
        if !selection.groups.isEmpty { document["group"] = groups }
        document["target"] = targets
        return document.text(as: .pretty()) + "\n"
    }

    /// `targets`, `variables`, or `type=TYPE[,format=table|json]`.
    ///
    /// - Throws: `invalid-argument`.
    static func list(_ text: String, of project: BakeProject) throws(BuildError) -> String {
        var type: String?
        var format = "table"
        for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            switch part {
            case _ where part.hasPrefix("type="): type = String(part.dropFirst("type=".count))
            case _ where part.hasPrefix("format="): format = String(part.dropFirst("format=".count))
            case _ where type == nil: type = part
            default: throw wrong(text, "'\(part)' is not understood")
            }
        }
        guard format == "table" || format == "json" else { throw wrong(text, "there is no format '\(format)'") }
        switch type {
        case "targets": return targets(project, isJSON: format == "json")
        case "variables": return variables(project, isJSON: format == "json")
        case let type:
            let near = NearestName.of(type ?? "", among: ["targets", "variables"]).map { "; did you mean '\($0)'?" }
            throw wrong(text, "there is no list of '\(type ?? "")'\(near ?? "")")
        }
    }

    private static func wrong(_ text: String, _ problem: String) -> BuildError {
        .invalidArgument(
            "--list", text, problem, hint: "write targets or variables, or type=targets,format=json")
    }

    private static func targets(_ project: BakeProject, isJSON: Bool) -> String {
        guard isJSON else {
            var table = TextTable(["TARGET", "DESCRIPTION"])
            for entry in project.entries { table.add([entry.name, entry.description ?? ""]) }
            return table.text
        }
        return lines(
            project.entries.map { entry in
                var json: JSONValue = ["name": .string(entry.name)]
                json["description"] = entry.description.map { .string($0) }
                if entry.isGroup { json["group"] = true }
                return json
            })
    }

    private static func variables(_ project: BakeProject, isJSON: Bool) -> String {
        guard isJSON else {
            var table = TextTable(["VARIABLE", "TYPE", "VALUE", "DESCRIPTION"])
            for variable in project.variables {
                table.add([
                    variable.name, variable.type ?? "", variable.value ?? "<list>", variable.description ?? "",
                ])
            }
            return table.text
        }
        return lines(
            project.variables.map { variable in
                var json: JSONValue = ["name": .string(variable.name)]
                json["description"] = variable.description.map { .string($0) }
                json["type"] = variable.type.map { .string($0) }
                json["value"] = variable.value.map { .string($0) }
                return json
            })
    }

    private static func lines(_ elements: [JSONValue]) -> String {
        JSONValue.array(elements).text(as: .pretty()) + "\n"
    }
}
