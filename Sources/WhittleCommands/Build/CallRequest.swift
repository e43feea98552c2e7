internal import WhittleCore

/// `--call=METHOD[,format=json|text]`: what is wanted of a Dockerfile instead of an image, as docker buildx spells it.
struct CallRequest: Equatable {
    let method: Method
    let isJSON: Bool
    /// The exit status says nothing of what a check found.
    let ignoresStatus: Bool

    enum Method: String, CaseIterable {
        case build
        case check
        case outline
        case targets
    }

    /// Builds.
    static let build = CallRequest(method: .build, isJSON: false, ignoresStatus: false)

    init(method: Method, isJSON: Bool, ignoresStatus: Bool) {
        self.method = method
        self.isJSON = isJSON
        self.ignoresStatus = ignoresStatus
    }

    /// - Throws: `invalid-argument`.
    init(parsing text: String) throws(BuildError) {
        var method: Method?
        var isJSON = false
        var ignoresStatus = false
        let names = Method.allCases.map(\.rawValue)
        for part in text.split(separator: ",", omittingEmptySubsequences: false).map({ String($0) }) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            switch (sides.first ?? "", sides.count > 1 ? sides[1] : nil) {
            case ("format", let format?):
                guard format == "json" || format == "text" else {
                    throw Self.wrong(text, "there is no format '\(format)'")
                }
                isJSON = format == "json"
            case ("ignorestatus", let value):
                guard [nil, "true", "false", "1", "0"].contains(value) else {
                    throw Self.wrong(text, "'ignorestatus' is true or false")
                }
                ignoresStatus = value != "false" && value != "0"
            case (let name, nil) where method == nil:
                guard let known = Self.method(name) else {
                    let near = NearestName.of(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
                    throw Self.wrong(text, "there is no method '\(name)'\(near)")
                }
                method = known
            default: throw Self.wrong(text, "'\(part)' is not understood")
            }
        }
        guard let method else { throw Self.wrong(text, "it names no method") }
        self.init(method: method, isJSON: isJSON, ignoresStatus: ignoresStatus)
    }

    /// By its name, or by that of BuildKit's request.
    private static func method(_ name: String) -> Method? {
        switch name {
        case "lint", "frontend.lint": .check
        case "frontend.outline": .outline
        case "frontend.targets": .targets
        default: Method(rawValue: name)
        }
    }

    private static func wrong(_ text: String, _ problem: String) -> BuildError {
        .invalidArgument(
            "--call", text, problem,
            hint: "the form is METHOD[,format=json|text] with a method of build, check, outline, targets")
    }

    /// Whether the arguments of a process ask for something that runs no step. Looked at before they are parsed.
    static func isRead(_ arguments: some Sequence<String>) -> Bool {
        var previous = ""
        for argument in arguments {
            if argument == "--check" { return true }
            if argument.hasPrefix("--call="), !argument.hasPrefix("--call=build") { return true }
            if previous == "--call", !argument.hasPrefix("build") { return true }
            previous = argument
        }
        return false
    }
}
