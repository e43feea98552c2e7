internal import CWhittleYAML
internal import WhittleCore

/// Reads one YAML document as compose files have them: YAML 1.2's core schema for scalars without quotes, anchors, merge
/// keys (`<<`).
///
/// Bounded: depth, and the number of values after aliases are replaced, so that a small file cannot become a large one.
struct YAMLDocument {
    private let source: BakeSource
    private let parser: OpaquePointer
    private var event = whittle_yaml_event()
    private var depth = 0
    /// Values so far, those of aliases counted each time.
    private var count = 0
    private var anchors: [String: (value: BakeValue, count: Int)] = [:]

    private static let depthLimit = 64
    private static let countLimit = 100_000

    /// - Throws: `bake-syntax`, `yaml-missing`.
    static func parse(_ source: BakeSource) throws(BuildError) -> BakeValue {
        if let reason = whittle_yaml_load() { throw .yamlMissing(String(cString: reason), source.name) }
        // SAFETY: the buffer lives until the closure returns, and the parser is destroyed before that.
        let result = source.bytes.withUnsafeBufferPointer { bytes -> Result<BakeValue, BuildError> in
            guard let parser = whittle_yaml_create(bytes.baseAddress, bytes.count) else {
                return .failure(.bakeSyntax(source.name, "there is no memory for it", at: nil))
            }
            defer { whittle_yaml_destroy(parser) }
            var document = YAMLDocument(source, parser)
            return Result { () throws(BuildError) in try document.document() }
        }
        return try result.get()
    }

    private init(_ source: BakeSource, _ parser: OpaquePointer) {
        self.source = source
        self.parser = parser
    }

    private mutating func document() throws(BuildError) -> BakeValue {
        var root: BakeValue?
        while true {
            try next()
            switch event.kind {
            case WHITTLE_YAML_END: return root ?? BakeValue(.null)
            case WHITTLE_YAML_OTHER: continue
            case WHITTLE_YAML_DOCUMENT:
                guard root == nil else { throw wrong("a second document, where one is expected") }
            default: root = try value()
            }
        }
    }

    private mutating func next() throws(BuildError) {
        whittle_yaml_next(parser, &event)
        guard event.kind == WHITTLE_YAML_FAILED else { return }
        throw wrong(text)
    }

    private func wrong(_ problem: String) -> BuildError {
        .bakeSyntax(source.name, problem, at: source.location(place))
    }

    private var place: SourceRange {
        let start = SourcePosition(line: Int(event.line) + 1, column: Int(event.column) + 1)
        let end = SourcePosition(line: Int(event.end_line) + 1, column: Int(event.end_column) + 1)
        // What has several lines, or none, is shown by its beginning.
        return SourceRange(
            start, end.line == start.line ? end : SourcePosition(line: start.line, column: start.column + 1))
    }

    private var text: String {
        String(
            decoding: UnsafeRawBufferPointer(start: event.text, count: event.length), as: UTF8.self)
    }

    /// The value that the current event begins.
    private mutating func value() throws(BuildError) -> BakeValue {
        count += 1
        guard count <= Self.countLimit else {
            throw wrong("more than \(Self.countLimit) values, those of aliases counted each time")
        }
        let before = count
        let anchor = event.anchor.map { String(cString: $0) }
        let value: BakeValue
        switch event.kind {
        case WHITTLE_YAML_SCALAR: value = try scalar()
        case WHITTLE_YAML_SEQUENCE: value = try nested { (parser) throws(BuildError) in try parser.sequence() }
        case WHITTLE_YAML_MAPPING: value = try nested { (parser) throws(BuildError) in try parser.mapping() }
        case WHITTLE_YAML_ALIAS: return try alias()
        default: throw wrong("a value is missing")
        }
        if let anchor { anchors[anchor] = (value, count - before + 1) }
        return value
    }

    private mutating func nested(
        _ body: (inout YAMLDocument) throws(BuildError) -> BakeValue
    ) throws(BuildError) -> BakeValue {
        guard depth < Self.depthLimit else { throw wrong("nested deeper than \(Self.depthLimit) levels") }
        if let tag = event.tag.map({ String(cString: $0) }),
            !["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!"].contains(tag)
        {
            throw wrong("the tag '\(tag)' is not supported")
        }
        depth += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func alias() throws(BuildError) -> BakeValue {
        let name = event.anchor.map { String(cString: $0) } ?? ""
        // One inside its own value is not known yet: there are no circles.
        guard let (value, size) = anchors[name] else { throw wrong("there is no anchor '\(name)'") }
        count += size
        guard count <= Self.countLimit else {
            throw wrong("more than \(Self.countLimit) values, those of aliases counted each time")
        }
        return value
    }

    private mutating func sequence() throws(BuildError) -> BakeValue {
        let place = place
        var elements: [BakeValue] = []
        while true {
            try next()
            if event.kind == WHITTLE_YAML_SEQUENCE_END { return BakeValue(.list(elements), at: place) }
            elements.append(try value())
        }
    }

    private mutating func mapping() throws(BuildError) -> BakeValue {
        let place = place
        var members: [BakeValue.Member] = []
        var positions: [String: Int] = [:]
        var merged: [BakeValue] = []
        while true {
            try next()
            if event.kind == WHITTLE_YAML_MAPPING_END { break }
            guard event.kind == WHITTLE_YAML_SCALAR || event.kind == WHITTLE_YAML_ALIAS else {
                throw wrong("a key that is no text")
            }
            let isMerge = event.kind == WHITTLE_YAML_SCALAR && event.is_plain && text == "<<"
            let keyError = wrong("")
            guard let key = try value().scalarOrNull else { throw wrong("a key that is no text") }
            try next()
            let value = try value()
            if isMerge {
                merged += try mergedMaps(value, at: keyError.location)
                continue
            }
            guard positions.updateValue(members.count, forKey: key) == nil else {
                throw .bakeSyntax(source.name, "the key '\(key)' is there twice", at: keyError.location)
            }
            members.append(BakeValue.Member(key: key, value: value))
        }
        for case .map(let others) in merged.map(\.kind) {
            for other in others where positions[other.key] == nil {
                positions[other.key] = members.count
                members.append(other)
            }
        }
        return BakeValue(.map(members), at: place)
    }

    private func mergedMaps(_ value: BakeValue, at location: SourceLocation?) throws(BuildError) -> [BakeValue] {
        let maps: [BakeValue] = if case .list(let elements) = value.kind { elements } else { [value] }
        for map in maps {
            guard case .map = map.kind else {
                throw .bakeSyntax(source.name, "'<<' takes maps, found \(map.shownKind)", at: location)
            }
        }
        return maps
    }

    private func scalar() throws(BuildError) -> BakeValue {
        let text = text
        switch event.tag.map({ String(cString: $0) }) {
        case nil: break
        case "!", "tag:yaml.org,2002:str": return BakeValue(.text(text), at: place)
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            return BakeValue(Self.plain(text), at: place)
        case let tag?: throw wrong("the tag '\(tag)' is not supported")
        }
        return BakeValue(event.is_plain ? Self.plain(text) : .text(text), at: place)
    }

    /// What a scalar without quotes is. Numbers keep the text that they are written with.
    private static func plain(_ text: String) -> BakeValue.Kind {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || [0x2B, 0x2D, 0x2E].contains(first),
            Double(text) != nil
        else { return .text(text) }
        return .number(text)
    }
}

extension BakeValue {
    /// The text of a scalar; that of null is empty.
    fileprivate var scalarOrNull: String? { isNull ? "" : scalar }
}
