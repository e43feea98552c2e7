internal import WhittleCore
internal import WhittleRuntime

/// A value of `--resource`: `NAME=VALUE` fields with commas between them.
struct ResourceArgument {
    private let text: String
    private var fields: [(name: Name, value: String)] = []

    private enum Name: String, CaseIterable {
        case memory
        case memorySwap = "memory-swap"
        case cpuShares = "cpu-shares"
        case cpuPeriod = "cpu-period"
        case cpuQuota = "cpu-quota"
        case cpusetCPUs = "cpuset-cpus"
        case cpusetMems = "cpuset-mems"

        /// Also as BuildKit's own options are spelt, without dashes.
        init?(spelling: String) {
            let plain = spelling == "memswap" ? "memoryswap" : spelling.filter { $0 != "-" }
            guard let name = Self.allCases.first(where: { $0.rawValue.filter { $0 != "-" } == plain }) else {
                return nil
            }
            self = name
        }
    }

    /// - Throws: `invalid-argument`.
    init(parsing text: String) throws(BuildError) {
        self.text = text
        let parts: [String]
        do throws(CommaSeparated.Fault) { parts = try CommaSeparated.fields(text).map { $0.text } } catch {
            throw .invalidArgument("--resource", text, error.rawValue, hint: "the form is NAME=VALUE,NAME=VALUE")
        }
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2 else {
                // The lists of cpuset-cpus and cpuset-mems have commas as well.
                guard let last = fields.last, last.name == .cpusetCPUs || last.name == .cpusetMems, Self.isList(part)
                else {
                    throw .invalidArgument(
                        "--resource", text, "'\(part)' has no value", hint: "the form is NAME=VALUE,NAME=VALUE")
                }
                fields[fields.count - 1].value += "," + part
                continue
            }
            guard let name = Name(spelling: pair[0]) else {
                let known = Name.allCases.map(\.rawValue)
                throw .invalidArgument(
                    "--resource", text, "there is no resource '\(pair[0])'",
                    hint: NearestName.of(pair[0], among: known).map { "did you mean '\($0)'?" }
                        ?? "it is one of \(known.joined(separator: ", "))")
            }
            fields.append((name, pair[1]))
        }
    }

    /// - Throws: `invalid-argument`.
    func apply(to resources: inout StepResources) throws(BuildError) {
        for (name, value) in fields {
            switch name {
            case .memory: resources.memory = try size(value, name)
            case .memorySwap: resources.memoryAndSwap = value == "-1" ? ByteCount(-1) : try size(value, name)
            case .cpuShares: resources.cpuShares = try number(value, name)
            case .cpuPeriod: resources.cpuPeriod = try number(value, name)
            case .cpuQuota: resources.cpuQuota = Int64(clamping: try number(value, name))
            case .cpusetCPUs: resources.processors = try list(value, name)
            case .cpusetMems: resources.memoryNodes = try list(value, name)
            }
        }
    }

    private func size(_ value: String, _ name: Name) throws(BuildError) -> ByteCount {
        guard let size = ByteCount(parsing: value), size > .zero else {
            throw invalid(value, name, "write a number with a unit: 512m, 2g")
        }
        return size
    }

    private func number(_ value: String, _ name: Name) throws(BuildError) -> UInt64 {
        guard let number = UInt64(value), number > 0, !value.hasPrefix("+") else {
            throw invalid(value, name, "write a number above 0")
        }
        return number
    }

    private func list(_ value: String, _ name: Name) throws(BuildError) -> String {
        guard value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy({ Self.isList(String($0)) })
        else {
            throw invalid(value, name, "write numbers and ranges: 0-2,5")
        }
        return value
    }

    /// `N` or `N-M`, with the smaller number first.
    private static func isList(_ text: String) -> Bool {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt32(part) : nil
        }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else { return false }
        return first <= last
    }

    private func invalid(_ value: String, _ name: Name, _ hint: String) -> BuildError {
        .invalidArgument("--resource", text, "\(name.rawValue) cannot be '\(value)'", hint: hint)
    }
}
