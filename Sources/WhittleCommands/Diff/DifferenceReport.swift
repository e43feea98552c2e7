internal import WhittleAnalysis
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

/// The differences of two images as text and as JSON.
struct DifferenceReport {
    let left: ImageContents
    let right: ImageContents
    let differences: [Difference]

    // MARK: JSON

    /// The form is described in `docs/diff.md`. Members may be added, never renamed.
    var json: String {
        var summary: JSONValue = [:]
        for section in Difference.Section.allCases {
            summary[section.rawValue] = .integer(Int64(differences.count { $0.field.section == section }))
        }
        let document: JSONValue = [
            "schemaVersion": 1, "equal": .bool(differences.isEmpty), "a": Self.json(left), "b": Self.json(right),
            "summary": summary, "differences": .array(differences.map { Self.json($0) }),
        ]
        return document.text(as: .pretty()) + "\n"
    }

    private static func json(_ contents: ImageContents) -> JSONValue {
        var value: JSONValue = ["name": .string(contents.name)]
        if let image = contents.image {
            value["digest"] = .string(image.digest.description)
            value["platform"] = .string("\(image.configuration.platform)")
        }
        return value
    }

    private static func json(_ difference: Difference) -> JSONValue {
        var value: JSONValue = ["field": .string("\(difference.field)")]
        if let subject = difference.subject { value["subject"] = .string(subject) }
        value["change"] = .string(difference.change.rawValue)
        value["a"] = difference.left ?? .null
        value["b"] = difference.right ?? .null
        return value
    }

    // MARK: Text

    /// A heading for each section, and a line for each thing: `+` only in the second image, `-` only in the first, `~` in
    /// both and different.
    var text: String {
        guard !differences.isEmpty else { return "no differences\n" }
        var text = ""
        for section in Difference.Section.allCases {
            let own = differences[...].filter { $0.field.section == section }
            guard !own.isEmpty else { continue }
            text += "\(section.rawValue)\n"
            var index = 0
            while index < own.count {
                var next = index + 1
                if section == .files {
                    while next < own.count, own[next].subject == own[index].subject { next += 1 }
                }
                text += "  \(Self.line(own[index..<next]))\n"
                index = next
            }
        }
        return text
    }

    private static func line(_ group: ArraySlice<Difference>) -> String {
        guard let first = group.first else { return "" }
        let mark =
            first.change == .changed || first.field.section == .files && first.field.name != "path"
            ? "~" : first.change == .added ? "+" : "-"
        let subject = BuildError.printable(first.subject ?? "")
        switch first.field.section {
        case .config:
            let name = ([first.field.name] + (first.subject == nil ? [] : [subject])).joined(separator: " ")
            return "\(mark) \(name)\(values(first))"
        case .history:
            return "\(mark) step \(subject)" + (first.field.name == "step" ? "" : " \(first.field.name)")
                + values(first)
        case .layers:
            switch first.field.name {
            case "count": return "~ number of layers\(values(first))"
            case "diffID": return "~ layer \(subject) diffID\(values(first))"
            default: return "\(mark) layer \(subject)\(values(first))"
            }
        case .files:
            if first.field.name == "path" { return "\(mark) \(subject) (\(file(first.left ?? first.right)))" }
            let changes = group.map { "\(label($0.field.name)) \(arrow($0))" }
            return "~ \(subject): \(changes.joined(separator: ", "))"
        }
    }

    private static func label(_ field: String) -> String {
        switch field {
        case "link": "target"
        case "xattr": "attributes"
        case "hardlink": "hard links"
        default: field
        }
    }

    /// What stands behind the name of a thing.
    private static func values(_ difference: Difference) -> String {
        switch difference.change {
        case .changed: return ": \(arrow(difference))"
        case .added, .removed:
            let value = difference.left ?? difference.right
            // A set has its members and nothing else.
            return value == true ? "" : ": \(shown(value))"
        }
    }

    private static func arrow(_ difference: Difference) -> String {
        "\(shown(difference.left)) → \(shown(difference.right))"
    }

    private static func shown(_ value: JSONValue?) -> String {
        switch value {
        case nil: return "none"
        case .string(let text)? where isPlain(text): return BuildError.printable(text)
        case .object(let object)? where object["type"]?.string != nil: return file(value)
        case .object(let object)? where object["digest"] != nil: return content(object)
        case let value?: return BuildError.printable(value.text(as: .compact))
        }
    }

    /// A text that needs no quotes: `0644`, `0:0`, `linux`, a path.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x7f }
    }

    private static func file(_ value: JSONValue?) -> String {
        guard let object = value?.object, let type = object["type"]?.string else { return shown(value) }
        var parts = [type]
        if let target = object["target"]?.string { parts.append("to \(BuildError.printable(target))") }
        if let device = object["device"]?.string { parts.append(device) }
        if object["digest"] != nil { parts.append(content(object)) }
        if let mode = object["mode"]?.string { parts.append(mode) }
        if let uid = object["uid"]?.integer, let gid = object["gid"]?.integer { parts.append("\(uid):\(gid)") }
        if let attributes = object["xattrs"] { parts.append(BuildError.printable(attributes.text(as: .compact))) }
        if let time = object["time"]?.string { parts.append(time) }
        return parts.joined(separator: " ")
    }

    private static func content(_ object: JSONObject) -> String {
        let digest = object["digest"]?.string ?? ""
        return "\(object["size"]?.integer ?? 0) B \(digest.prefix(19))"
    }
}
