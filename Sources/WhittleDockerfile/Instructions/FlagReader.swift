internal import WhittleCore

/// The flags of one instruction, checked against those it knows.
struct FlagReader {
    private var values: [String: [Token]] = [:]
    private var switches: [String: Bool] = [:]

    /// What an instruction knows.
    struct Known {
        /// `--NAME` or `--NAME=true|false`.
        var switches: [String] = []
        /// `--NAME=VALUE`, once.
        var values: [String] = []
        /// `--NAME=VALUE`, any number of times.
        var lists: [String] = []

        var all: [String] { switches + values + lists }
    }

    /// - Throws: for the first flag that is unknown, repeated, or has no value or a wrong one.
    init(_ instruction: RawInstruction, _ known: Known = Known(), source: SourceText) throws(BuildError) {
        let keyword = instruction.keyword.text.uppercased()
        for flag in instruction.flags {
            let name = flag.name.text
            let place = source.location(of: flag.range)
            let isSwitch = known.switches.contains(name)
            let isList = known.lists.contains(name)
            guard isSwitch || isList || known.values.contains(name) else {
                if let markup = MarkupInText(flag) { throw .markupInText(markup, also: nil, at: place) }
                throw .unknownFlag(name, of: keyword, known: known.all, at: place)
            }
            guard isList || (switches[name] == nil && values[name] == nil) else {
                throw .repeatedFlag(name, of: keyword, at: place)
            }
            if isSwitch {
                switches[name] = try Self.bool(flag, of: keyword, at: place)
            } else {
                guard let value = flag.value else { throw .missingFlagValue(name, of: keyword, at: place) }
                values[name, default: []].append(value)
            }
        }
    }

    /// The value of a flag that may stand once.
    func value(_ name: String) -> Token? { values[name]?.first }

    /// The values of a flag that may stand several times.
    func list(_ name: String) -> [Token] { values[name] ?? [] }

    /// Whether a switch is on; `nil` where it is not given.
    func isOn(_ name: String) -> Bool? { switches[name] }

    private static func bool(_ flag: Flag, of keyword: String, at place: SourceLocation) throws(BuildError) -> Bool {
        guard let value = flag.value else { return true }
        switch value.text.lowercased() {
        case "true": return true
        case "false": return false
        case "": throw .missingFlagValue(flag.name.text, of: keyword, at: place)
        default:
            throw .badFlagValue(
                value.text, of: flag.name.text, expected: "it is 'true' or 'false'", known: ["true", "false"], at: place
            )
        }
    }
}
