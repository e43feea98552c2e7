public import WhittleCore

/// What the user lets the steps of a build do beyond the sandbox: the values of `--allow`.
public struct Entitlements: Hashable, Sendable {
    /// The rights that `--allow` knows, under BuildKit's names.
    public enum Right: String, CaseIterable, Hashable, Sendable {
        /// `RUN --security=insecure`.
        case insecureSecurity = "security.insecure"
        /// `RUN --network=host`.
        case hostNetwork = "network.host"
        /// `RUN --device`, with any device.
        case device
    }

    /// The rights that are given as a whole.
    public private(set) var rights: Set<Right> = []
    /// The devices that are given one by one: the name in the Dockerfile, and the device that it stands for.
    public private(set) var devices: [String: String] = [:]

    public init() {}

    /// Reads the values of `--allow`, each a list with commas: `network.host`, `security.insecure`, `device`,
    /// `device=NAME` or `device=NAME,alias=OTHER`, where the Dockerfile says OTHER for the device NAME.
    ///
    /// - Throws: `invalid-entitlement`.
    public init(parsing values: [String]) throws(BuildError) {
        for value in values {
            var fields = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            while !fields.isEmpty {
                let field = fields.removeFirst()
                guard field.hasPrefix("device=") else {
                    try insert(field, of: value)
                    continue
                }
                var alias: String?
                if let next = fields.first, next.hasPrefix("alias=") {
                    alias = String(fields.removeFirst().dropFirst(6))
                }
                let name = String(field.dropFirst("device=".count))
                guard !name.isEmpty, alias != "" else {
                    throw .invalidEntitlement(value, "it names no device", hint: "write device=VENDOR/CLASS=NAME")
                }
                devices[alias ?? name] = name
            }
        }
    }

    private mutating func insert(_ field: String, of value: String) throws(BuildError) {
        guard let right = Right(rawValue: field) else { throw .unknownEntitlement(field) }
        rights.insert(right)
    }

    public mutating func insert(_ right: Right) { rights.insert(right) }

    func allows(_ right: Right) -> Bool { rights.contains(right) }

    /// The device that a Dockerfile means by `name`, or `nil` where it may not have it.
    func device(_ name: String) -> String? { devices[name] ?? (rights.contains(.device) ? name : nil) }
}

extension BuildError.Code {
    /// `--allow` has a word that is no right.
    public static let invalidEntitlement = BuildError.Code(rawValue: "invalid-entitlement")
    /// A step asks for more than the user allows.
    public static let notAllowed = BuildError.Code(rawValue: "not-allowed")
}

extension BuildError {
    static func invalidEntitlement(_ value: String, _ reason: String, hint: String) -> BuildError {
        BuildError(.invalidEntitlement, "--allow '\(value.prefix(80))': \(reason)", hint: hint)
    }

    static func unknownEntitlement(_ name: String) -> BuildError {
        let known = Entitlements.Right.allCases.map(\.rawValue)
        return invalidEntitlement(
            name, "there is no such right",
            hint: NearestName.of(name, among: known).map { "did you mean '\($0)'?" }
                ?? "it is one of \(known.joined(separator: ", ")), device=NAME")
    }

    /// - Parameters:
    ///   - flag: what the instruction says.
    ///   - right: the value of `--allow` that it needs.
    static func notAllowed(_ flag: String, _ right: String, at location: SourceLocation) -> BuildError {
        BuildError(
            .notAllowed, "RUN \(flag) is not allowed in this build",
            hint: "if you trust the Dockerfile, add --allow \(right)",
            at: location)
    }
}
