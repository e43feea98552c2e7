internal import WhittleCore

extension InstructionConverter {
    func run(_ raw: RawInstruction) throws(BuildError) -> Instruction.Run {
        let known = FlagReader.Known(values: ["network", "security"], lists: ["mount", "device"])
        let flags = try FlagReader(raw, known, source: source)
        var mounts: [RunMountFlag] = []
        for value in flags.list("mount") { mounts.append(try RunMountFlag(parsing: value, source: source)) }
        let network: Instruction.Run.Network = try choice(flags, "network", default: .default)
        let security: Instruction.Run.Security = try choice(flags, "security", default: .sandbox)
        var devices: [Instruction.RunDevice] = []
        for value in flags.list("device") { devices.append(try device(value)) }
        return Instruction.Run(
            command: commandLine(raw, raw.arguments), mounts: mounts, network: network, security: security,
            devices: devices, heredocs: raw.heredocs)
    }

    /// The value of a flag that is one of a few words.
    private func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ flags: FlagReader, _ flag: String, default fallback: Choice
    ) throws(BuildError) -> Choice {
        guard let value = flags.value(flag) else { return fallback }
        guard let choice = Choice(rawValue: value.text) else {
            let known = Choice.allCases.map(\.rawValue)
            throw .badFlagValue(
                value.text, of: flag, expected: "it is one of \(known.joined(separator: ", "))", known: known,
                at: location(value.range))
        }
        return choice
    }

    private func device(_ value: Token) throws(BuildError) -> Instruction.RunDevice {
        let place = location(value.range)
        let fields: [(text: String, range: Range<Int>)]
        do throws(CommaSeparated.Fault) {
            fields = try CommaSeparated.fields(value.text)
        } catch {
            throw .badFieldList("device", error.rawValue, at: place)
        }
        var name = ""
        var isRequired = false
        for (text, _) in fields {
            let field = RunMountFlag.Field(parsing: text, at: value.range)
            switch (field.key, field.value) {
            case ("required", nil): isRequired = true
            case ("required", let value?):
                guard let bool = GoValue.bool(value) else {
                    throw .badDevice(
                        "the device option 'required' cannot be '\(Excerpt.of(value))'",
                        hint: "it is 'true' or 'false'", at: place)
                }
                isRequired = bool
            case ("name", let value?):
                guard name.isEmpty else {
                    throw .badDevice(
                        "the device has two names, '\(Excerpt.of(name))' and '\(Excerpt.of(value))'",
                        hint: "use a flag for each device", at: place)
                }
                name = value
            default:
                guard name.isEmpty else {
                    let near = NearestName.of(field.key, among: ["name", "required"])
                    throw .badDevice(
                        "there is no device option '\(Excerpt.of(text))'",
                        hint: near.map { "did you mean '\($0)'?" } ?? "known are name and required", at: place)
                }
                name = text
            }
        }
        return Instruction.RunDevice(name: name, isRequired: isRequired, value: value)
    }

    func healthcheck(_ raw: RawInstruction) throws(BuildError) -> Instruction.Healthcheck {
        let arguments = try someArguments(raw, "NONE or CMD")
        let type = arguments[0]
        let rest = Array(arguments.dropFirst())
        if type.text.uppercased() == "NONE" {
            guard let extra = rest.first else { return .none }
            throw .badHealthcheck(
                "HEALTHCHECK NONE has an argument", hint: "NONE stands alone", at: location(extra.range))
        }
        let names = ["interval", "timeout", "start-period", "start-interval", "retries"]
        let flags = try FlagReader(raw, FlagReader.Known(values: names), source: source)
        guard type.text.uppercased() == "CMD" else {
            throw .badHealthcheck(
                "HEALTHCHECK has no type '\(Excerpt.of(type.text))'", hint: "write 'HEALTHCHECK CMD COMMAND' or NONE",
                at: location(type.range))
        }
        guard !rest.isEmpty else {
            throw .badHealthcheck(
                "HEALTHCHECK CMD has no command", hint: "write the command after CMD", at: location(type.range))
        }
        let timing = Instruction.Healthcheck.Timing(
            interval: try duration(flags, "interval"), timeout: try duration(flags, "timeout"),
            startPeriod: try duration(flags, "start-period"), startInterval: try duration(flags, "start-interval"),
            retries: try retries(flags))
        return .command(commandLine(raw, rest), timing)
    }

    /// Zero where the flag is missing or empty.
    private func duration(_ flags: FlagReader, _ name: String) throws(BuildError) -> Duration {
        guard let value = flags.value(name), !value.text.isEmpty else { return .zero }
        guard let duration = GoValue.duration(value.text), duration == .zero || duration >= .milliseconds(1) else {
            throw .badFlagValue(
                value.text, of: name, expected: "it is a time of at least 1ms with a unit, for instance 30s or 1m30s",
                at: location(value.range))
        }
        return duration
    }

    private func retries(_ flags: FlagReader) throws(BuildError) -> Int {
        guard let value = flags.value("retries"), !value.text.isEmpty else { return 0 }
        guard let retries = Int32(value.text), retries >= 0 else {
            throw .badFlagValue(
                value.text, of: "retries", expected: "it is a number, 0 for the default", at: location(value.range))
        }
        return Int(retries)
    }

    /// Why a line does not begin with an instruction: a typing error, a lost blank, or a lost continuation.
    func unknownInstruction(_ raw: RawInstruction, after previous: RawInstruction?) -> BuildError {
        let written = raw.keyword.text
        let names = Instruction.Keyword.allCases.map(\.rawValue)
        let hint: String
        if let near = NearestName.of(written, among: names) {
            hint = "did you mean '\(near)'?"
        } else if let keyword = names.first(where: { written.hasPrefix($0) }) {
            hint = "did you mean '\(keyword) \(Excerpt.of(String(written.dropFirst(keyword.count))))'?"
        } else if let previous, previous.lines.upperBound < raw.lines.lowerBound, previous.known == .run {
            hint =
                "if this line continues the RUN of line \(previous.lines.lowerBound), end the line above with '\(escape.text)'"
        } else {
            hint = "instructions are \(names.joined(separator: ", "))"
        }
        if let markup = MarkupInText(written) { return .markupInText(markup, also: nil, at: place(raw)) }
        return .unknownInstruction(written, hint: hint, at: place(raw))
    }
}
