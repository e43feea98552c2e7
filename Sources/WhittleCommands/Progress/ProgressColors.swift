/// The colours of the live view, as BuildKit's clients have them.
struct ProgressColors: Equatable, Sendable {
    /// Numbers of SGR (ECMA-48), empty for no colour.
    var run = "34"
    var cancel = "33"
    var error = "31"
    var warning = "93"

    static let none = ProgressColors(run: "", cancel: "", error: "", warning: "")

    init(run: String = "34", cancel: String = "33", error: String = "31", warning: String = "93") {
        self.run = run
        self.cancel = cancel
        self.error = error
        self.warning = warning
    }

    /// Reads `BUILDKIT_COLORS`: `run=green:warning=yellow:error=255,0,0:cancel=light-cyan`. What cannot be understood
    /// keeps its usual colour, as with BuildKit.
    init(parsing text: String) {
        self.init()
        for part in text.split(separator: ":") {
            let words = part.split(separator: "=", maxSplits: 1)
            guard words.count == 2, let code = Self.code(words[1].lowercased()) else { continue }
            switch words[0].lowercased() {
            case "run": run = code
            case "cancel": cancel = code
            case "error": error = code
            case "warning", "warn": warning = code
            default: break
            }
        }
    }

    /// The SGR numbers of a colour's name, or of its red, green and blue.
    private static func code(_ text: String) -> String? {
        let names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
        if text == "default" { return "39" }
        if let index = names.firstIndex(of: text) { return "\(30 + index)" }
        if text.hasPrefix("light-"), let index = names.firstIndex(of: String(text.dropFirst(6))) {
            return "\(90 + index)"
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 3, let red = parts[0], let green = parts[1], let blue = parts[2] else { return nil }
        return "38;2;\(red);\(green);\(blue)"
    }

    /// `text` in a colour.
    static func painted(_ text: String, _ code: String) -> String {
        code.isEmpty ? text : "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}
