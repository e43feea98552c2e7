internal import WhittleCore

/// The argument of `--publish`. A container has the ports of this machine, so there is nothing to do but to say where that
/// is not what was asked for.
enum PortArgument {
    /// - Throws: `invalid-argument` where the port of this machine would be another, or where it is no port.
    static func check(_ text: String) throws(BuildError) {
        let hint = "the form is PORT:PORT, such as 8080:8080"
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1, !["tcp", "udp", "sctp"].contains(parts[1].lowercased()) {
            throw .invalidArgument("--publish", text, "there is no protocol '\(parts[1])'", hint: "tcp or udp")
        }
        // [ADDRESS:]HOST:CONTAINER; an address can have colons too.
        let fields = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        guard let container = range(fields.last ?? "") else {
            throw .invalidArgument("--publish", text, "it is no port", hint: hint)
        }
        guard fields.count > 1 else { return }
        let host = fields[fields.count - 2]
        // Empty: any port of this machine.
        guard !host.isEmpty else { return }
        guard let wanted = range(host) else {
            throw .invalidArgument("--publish", text, "'\(host)' is no port", hint: hint)
        }
        guard wanted == container else {
            throw .invalidArgument(
                "--publish", text,
                "the container has the network of this machine, so its port \(container.lowerBound) is "
                    + "\(container.lowerBound) here too",
                hint: "have the program listen on \(wanted.lowerBound), or leave the option out")
        }
    }

    private static func range(_ text: Substring) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            (1...65535).contains(first), (first...65535).contains(max(first, last)), last >= first
        else { return nil }
        return last <= 65535 ? first...last : nil
    }
}
