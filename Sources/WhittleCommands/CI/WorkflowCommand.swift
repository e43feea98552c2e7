internal import WhittleCore
internal import WhittleGraph

/// A line that GitHub's runner reads in the output of a job and shows at the line of the file that it is about.
///
/// Source: "Workflow commands for GitHub Actions", Setting a warning message, Setting an error message; escapes as in the
/// runner's own toolkit.
struct WorkflowCommand {
    /// The directory of the repository, which names of files begin at; `nil` where it is not known.
    let workspace: String?

    /// At most so many lines of each kind are shown by GitHub for a step.
    static let limit = 10

    /// The line for something that a user should know.
    func annotation(_ warning: BuildWarning) -> String {
        line("warning", title: warning.rule?.name, at: warning.location, warning.message)
    }

    /// The line for what ended a build.
    func annotation(_ error: any Error) -> String {
        guard let error = error as? BuildError else { return line("error", title: nil, at: nil, "\(error)") }
        let text = error.message + (error.hint.map { "\nhint: \($0)" } ?? "")
        return line("error", title: "whittle: \(error.code.rawValue)", at: error.location, text)
    }

    private func line(
        _ kind: String, title: String?, at location: SourceLocation?, _ message: String
    ) -> String {
        var properties: [String] = []
        if let location {
            properties.append("file=\(Self.escaped(inWorkspace(location.file), isProperty: true))")
            properties.append("line=\(location.range.start.line)")
            properties.append("col=\(location.range.start.column)")
        }
        if let title { properties.append("title=\(Self.escaped(title, isProperty: true))") }
        let separator = properties.isEmpty ? "" : " "
        return "::\(kind)\(separator)\(properties.joined(separator: ","))::\(Self.escaped(message, isProperty: false))"
    }

    private func inWorkspace(_ file: String) -> String {
        guard let workspace, file.hasPrefix(workspace + "/") else { return file }
        return String(file.dropFirst(workspace.count + 1))
    }

    private static func escaped(_ text: String, isProperty: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": result += "%25"
            case "\r": result += "%0D"
            case "\n": result += "%0A"
            case ":" where isProperty: result += "%3A"
            case "," where isProperty: result += "%2C"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
