internal import Glibc
internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleOCI

/// The argument of `whittle images`, and docker's filter `reference`.
struct ImageNameFilter {
    private let pattern: String

    init(_ pattern: String) { self.pattern = pattern }

    /// Whether there is anything in it that stands for other text.
    var isPattern: Bool { pattern.contains { $0 == "*" || $0 == "?" || $0 == "[" } }

    /// Whether the name, with or without its tag, in docker's short form or in full, is what was asked for.
    func accepts(_ name: ImageReference) -> Bool {
        [name.familiarName, name.familiarRepository, name.description, name.name].contains { (text: String) in
            // A name is a path: '*' does not go beyond a slash.
            fnmatch(pattern, text, FNM_PATHNAME) == 0
        }
    }
}

/// The values of `--filter`, in docker's form `KEY=VALUE`.
///
/// Of `reference` one must fit; of everything else all must.
struct ImageFilters {
    private(set) var references: [ImageNameFilter] = []
    /// A label that must be there; with a value, that it must have.
    private(set) var labels: [(key: String, value: String?)] = []
    /// Names or IDs of images: only what is older, or newer.
    private(set) var before: [String] = []
    private(set) var since: [String] = []
    /// Only what was made before this.
    private(set) var until: Timestamp?
    /// Only what has no name, or only what has one.
    private(set) var isDangling: Bool?

    private static let keys = ["reference", "label", "before", "since", "until", "dangling"]

    /// - Throws: `invalid-filter`.
    init(parsing texts: [String], now: Timestamp) throws(BuildError) {
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            guard parts.count == 2, !parts[1].isEmpty else {
                throw .invalidFilter(text, "it has no value", hint: "the form is KEY=VALUE, such as label=stage=test")
            }
            let value = parts[1]
            switch parts[0].lowercased() {
            case "reference": references.append(ImageNameFilter(value))
            case "label":
                let label = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                labels.append((String(label[0]), label.count == 2 ? String(label[1]) : nil))
            case "before": before.append(value)
            case "since": since.append(value)
            case "until":
                guard let time = PointInTime.parse(value, now: now) else {
                    throw .invalidFilter(
                        text, "'\(value)' is no time",
                        hint: "a time is '24h', '2026-05-01', an RFC 3339 time, or seconds")
                }
                until = min(until ?? time, time)
            case "dangling":
                guard let flag = ["true": true, "1": true, "false": false, "0": false][value.lowercased()] else {
                    throw .invalidFilter(text, "it is neither true nor false")
                }
                isDangling = flag
            default:
                throw .invalidFilter(
                    text, "there is no filter '\(parts[0])'",
                    hint: NearestName.of(parts[0], among: Self.keys).map { "did you mean '\($0)'?" }
                        ?? "the filters are \(Self.keys.joined(separator: ", "))")
            }
        }
    }

    /// The images that pass all filters, in their order.
    ///
    /// - Parameter created: the time of an image that `before` or `since` names.
    func apply(
        to images: [StoredImage], created: (String) throws -> Timestamp?
    ) throws -> [StoredImage] {
        let none = Timestamp(seconds: .min)
        let latest = try (before.map { try created($0) ?? none } + (until.map { [$0] } ?? [])).min()
        let earliest = try since.map { try created($0) ?? none }.max()
        return images.filter { image in
            let time = image.configuration.created ?? none
            if let latest, time >= latest { return false }
            if let earliest, time <= earliest { return false }
            if let isDangling, isDangling != (image.name == nil) { return false }
            guard references.isEmpty || references.contains(where: { image.name.map($0.accepts) ?? false }) else {
                return false
            }
            return labels.allSatisfy { label in
                guard let found = image.configuration.config.labels[label.key] else { return false }
                return label.value == nil || label.value == found
            }
        }
    }
}

/// Times as docker's filters take them.
enum PointInTime {
    /// A duration before `now` (`24h`, `1h30m`), seconds since 1970, a date, or a time with or without a zone, which is
    /// UTC; `nil` for anything else.
    static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if let seconds = Int64(text.split(separator: ".", omittingEmptySubsequences: false).first ?? ""),
            text.utf8.allSatisfy({ "0123456789.".utf8.contains($0) })
        {
            return Timestamp(seconds: seconds)
        }
        if let seconds = duration(text) { return Timestamp(seconds: now.seconds - seconds) }
        return Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "Z") ?? Timestamp(rfc3339: text + ":00Z")
            ?? Timestamp(rfc3339: text + "T00:00:00Z")
    }

    /// Go's durations in whole seconds: numbers with the units `h`, `m`, `s`.
    private static func duration(_ text: String) -> Int64? {
        var seconds = 0.0
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            guard let value = Double(number), let unit = rest.popFirst(),
                let factor = ["h": 3600.0, "m": 60, "s": 1][unit]
            else { return nil }
            seconds += value * factor
        }
        return Int64(exactly: seconds.rounded())
    }
}

extension BuildError.Code {
    /// A value of `--filter` that cannot be understood.
    static let invalidFilter = Self(rawValue: "invalid-filter")
}

extension BuildError {
    static func invalidFilter(_ filter: String, _ problem: String, hint: String? = nil) -> BuildError {
        BuildError(.invalidFilter, "invalid --filter '\(printable(filter))': \(problem)", hint: hint)
    }
}
