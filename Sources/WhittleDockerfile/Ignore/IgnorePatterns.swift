public import WhittleCore

/// The patterns of a `.dockerignore`, or of `COPY --exclude`: which paths of a tree they leave out.
///
/// The semantics are those of moby/patternmatcher: a path is excluded where the last pattern that matches it, or one
/// of its parents, has no `!`. `*` and `?` stop at slashes, `**` does not, and a pattern is tied to the top of the
/// tree.
public struct IgnorePatterns: Sendable {
    let patterns: [IgnorePattern]
    /// Whether any pattern begins with `!`.
    public let hasExceptions: Bool

    /// Whether there is no pattern, so that nothing is excluded.
    public var isEmpty: Bool { patterns.isEmpty }

    /// Compiles patterns in their order. Empty ones are left out.
    ///
    /// - Throws: ``BuildError`` without a place for the first malformed pattern.
    public init(_ patterns: [String]) throws(BuildError) {
        var compiled: [IgnorePattern] = []
        for pattern in patterns {
            if let next = try Self.compile(pattern) { compiled.append(next) }
        }
        self.init(compiled)
    }

    /// Reads an ignore file: a pattern a line, lines that begin with `#` are comments.
    ///
    /// - Parameter file: the file as the user knows it, for errors.
    /// - Throws: ``BuildError`` with its line for the first malformed pattern.
    public init(parsing bytes: [UInt8], file: String) throws(BuildError) {
        let source = SourceText(bytes, file: file)
        var compiled: [IgnorePattern] = []
        for line in IgnoreFile.lines(of: source) {
            do throws(BuildError) {
                if let next = try Self.compile(line.pattern) { compiled.append(next) }
            } catch {
                throw error.located(at: source.location(of: line.place))
            }
        }
        self.init(compiled)
    }

    /// The patterns of an ignore file as texts, for ``init(_:)``.
    ///
    /// - Throws: as ``init(parsing:file:)``.
    public static func texts(parsing bytes: [UInt8], file: String) throws(BuildError) -> [String] {
        _ = try IgnorePatterns(parsing: bytes, file: file)
        return IgnoreFile.lines(of: SourceText(bytes, file: file)).map(\.pattern)
    }

    private init(_ patterns: [IgnorePattern]) {
        self.patterns = patterns
        self.hasExceptions = patterns.contains { $0.isException }
    }

    private static func compile(_ text: String) throws(BuildError) -> IgnorePattern? {
        let bytes = Array(text.utf8)
        let trimmed = bytes[Blank.trim(bytes, 0..<bytes.count)]
        guard !trimmed.isEmpty else { return nil }
        var pattern = CleanPath.of(trimmed)
        let isException = pattern[0] == UInt8(ascii: "!")
        if isException { pattern.removeFirst() }
        guard !pattern.isEmpty else { throw .badIgnorePattern(text, "there is nothing after the '!'") }
        if let fault = IgnoreSyntax.fault(in: pattern) { throw .badIgnorePattern(text, fault) }
        guard let compiled = IgnorePattern(pattern, isException: isException) else {
            throw .badIgnorePattern(text, "a range runs backwards, or a letter after a backslash has no meaning")
        }
        return compiled
    }

    /// Whether `path` is excluded, by itself or by one of its parents.
    ///
    /// For a whole tree, ``visit(_:in:)`` is faster: it asks each parent once.
    ///
    /// - Parameter path: relative to the top of the tree, without `./` in front.
    public func excludes(_ path: String) -> Bool { excludes(Array(path.utf8)) }

    /// Whether `path` is excluded, by itself or by one of its parents.
    public func excludes(_ path: [UInt8]) -> Bool {
        var scratch = PatternProgram.Scratch()
        let parents = Self.directory(of: path)
        var isExcluded = false
        for pattern in patterns where pattern.isException == isExcluded {
            if matchesPathOrParent(pattern, path, parents, &scratch) { isExcluded = !pattern.isException }
        }
        return isExcluded
    }

    private func matchesPathOrParent(
        _ pattern: IgnorePattern, _ path: [UInt8], _ parents: [UInt8], _ scratch: inout PatternProgram.Scratch
    ) -> Bool {
        if pattern.matches(path, upTo: path.count, scratch: &scratch) { return true }
        for index in parents.indices where parents[index] == CleanPath.slash {
            if pattern.matches(parents, upTo: index, scratch: &scratch) { return true }
        }
        return !parents.isEmpty && pattern.matches(parents, upTo: parents.count, scratch: &scratch)
    }

    /// The directory that `path` is in, in its shortest form; empty for the top.
    private static func directory(of path: [UInt8]) -> [UInt8] {
        guard let slash = path.lastIndex(of: CleanPath.slash) else { return [] }
        let clean = CleanPath.of(path[...slash])
        return clean == [UInt8(ascii: ".")] ? [] : clean
    }
}

extension BuildError {
    static func badIgnorePattern(_ pattern: String, _ reason: String) -> BuildError {
        BuildError(
            .badIgnorePattern, "the ignore pattern '\(Excerpt.of(pattern))' is malformed: \(reason)",
            hint: "write '\\' in front of a character that is meant as it stands")
    }
}
