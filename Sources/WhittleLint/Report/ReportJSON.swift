internal import WhittleCore
internal import WhittleDockerfile
public import WhittleOCI

/// The documents of BuildKit's frontend requests `frontend.lint`, `frontend.outline` and `frontend.targets`, version 1.0.0:
/// members in the order of their types there, and what is empty left out.
enum ReportJSON {
    /// One range for each line, as BuildKit places instructions.
    static func ranges(_ lines: ClosedRange<Int>) -> JSONValue {
        .array(
            lines.map { line in
                ["start": ["line": .integer(Int64(line))], "end": ["line": .integer(Int64(line))]]
            })
    }

    static func location(_ lines: ClosedRange<Int>) -> JSONValue { ["ranges": ranges(lines)] }

    static func data(_ source: SourceText) -> JSONValue { .string(Base64.encode(source.bytes)) }

    /// An object of the members that have a value.
    static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        var value: JSONValue = [:]
        for (name, member) in members { if let member { value[name] = member } }
        return value
    }

    /// A text, or nothing for an empty one.
    static func text(_ text: String?) -> JSONValue? { text.flatMap { $0.isEmpty ? nil : .string($0) } }
}

extension LintReport {
    /// The result of `frontend.lint`.
    public var json: JSONValue {
        ReportJSON.object([
            ("warnings", .array(findings.map(\.json))),
            (
                "sources",
                [
                    [
                        "filename": .string(source.file), "language": "Dockerfile", "data": ReportJSON.data(source),
                    ]
                ]
            ),
            ("buildError", error.map { errorJSON($0) }),
        ])
    }

    private func errorJSON(_ error: BuildError) -> JSONValue {
        var location: JSONValue = [:]
        if let place = error.location, place.file == source.file {
            location = ReportJSON.location(place.range.start.line...max(place.range.start.line, place.range.end.line))
        }
        let hint = error.hint.map { "; \($0)" } ?? ""
        return ["message": .string("[\(error.code.rawValue)] \(error.message)\(hint)"), "location": location]
    }
}

extension LintFinding {
    fileprivate var json: JSONValue {
        ReportJSON.object([
            ("ruleName", .string(rule.name)), ("description", .string(rule.description)),
            ("url", ReportJSON.text(rule.url)), ("detail", .string(detail)),
            ("location", ReportJSON.location(lines)),
        ])
    }
}

extension Outline {
    /// The result of `frontend.outline`.
    public var json: JSONValue {
        func list(_ mounts: [Mount], name: String) -> JSONValue? {
            mounts.isEmpty
                ? nil
                : .array(
                    mounts.map { mount in
                        ReportJSON.object([
                            (name, .string(mount.name)), ("required", mount.isRequired ? true : nil),
                            ("location", ReportJSON.location(mount.lines)),
                        ])
                    })
        }
        let arguments = arguments.map { argument in
            ReportJSON.object([
                ("name", .string(argument.name)), ("description", ReportJSON.text(argument.description)),
                ("value", ReportJSON.text(argument.value)), ("location", ReportJSON.location(argument.lines)),
            ])
        }
        return ReportJSON.object([
            ("name", ReportJSON.text(name)), ("description", ReportJSON.text(description)),
            ("args", arguments.isEmpty ? nil : .array(arguments)), ("secrets", list(secrets, name: "name")),
            ("ssh", list(sshSockets, name: "name")), ("cache", list(caches, name: "ID")),
            ("sources", [ReportJSON.data(source)]),
        ])
    }
}

extension TargetList {
    /// The result of `frontend.targets`.
    public var json: JSONValue {
        let list = targets.map { target in
            ReportJSON.object([
                ("name", ReportJSON.text(target.name)), ("default", target.isDefault ? true : nil),
                ("description", ReportJSON.text(target.description)), ("base", ReportJSON.text(target.base)),
                ("platform", ReportJSON.text(target.platform)), ("location", ReportJSON.location(target.lines)),
            ])
        }
        return ["targets": .array(list), "sources": [ReportJSON.data(source)]]
    }
}
