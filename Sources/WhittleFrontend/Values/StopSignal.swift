/// The signals that STOPSIGNAL accepts: a number, or a Linux signal's name with or without `SIG` in any casing.
enum StopSignal {
    static func isValid(_ text: String) -> Bool {
        if let number = Int(text) { return (1...64).contains(number) }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        return names.contains(name) || isRealTime(name)
    }

    /// All names without `SIG`, for suggestions.
    static let names: [String] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
        "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
        "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
    ]

    /// `RTMIN+1` to `RTMIN+15` and `RTMAX-14` to `RTMAX-1`: signals 34 to 64.
    private static func isRealTime(_ name: String) -> Bool {
        for (prefix, last) in [("RTMIN+", 15), ("RTMAX-", 14)] where name.hasPrefix(prefix) {
            let digits = name.dropFirst(prefix.count)
            return digits.first != "+" && digits.first != "-" && Int(digits).map { (1...last).contains($0) } ?? false
        }
        return false
    }
}
