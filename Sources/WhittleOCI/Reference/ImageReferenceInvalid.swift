public import WhittleCore

extension ImageReference {
    /// The rule of the grammar that a text broke.
    public enum Invalid: Error, Hashable, Sendable {
        case empty
        /// Blanks or control characters, or anything outside ASCII.
        case forbiddenCharacter(Character)
        /// An upper-case letter in the repository; carries the lower-case form.
        case uppercase(suggestion: String)
        case invalidRegistry(String)
        case emptyComponent
        /// A part of the repository that does not begin and end with a letter or digit, or has other characters inside.
        case invalidComponent(String)
        case repositoryTooLong(Int)
        case emptyTag
        case invalidTag(String)
        case tagTooLong(Int)
        case invalidDigest(String, Digest.Invalid)
        /// A name of 64 hex digits, which docker keeps for image IDs.
        case looksLikeImageID
        /// `https://…` and the like; carries the text without the scheme.
        case hasScheme(suggestion: String)
    }
}

extension ImageReference.Invalid: CustomStringConvertible {
    /// The rule in words.
    public var description: String {
        switch self {
        case .empty: "it is empty"
        case .forbiddenCharacter(let character):
            "character '\(character.isASCII && character.asciiValue ?? 0 < 32 ? "·" : character)' is not allowed"
        case .uppercase: "the repository must be lower case"
        case .invalidRegistry(let registry): "'\(registry)' is no registry host"
        case .emptyComponent: "a part of the repository between two slashes is empty"
        case .invalidComponent(let component):
            "'\(component)' is no repository part: lower-case letters and digits, with single '.', '_', '__' or dashes "
                + "between them"
        case .repositoryTooLong(let count): "the repository has \(count) characters, at most 255 are allowed"
        case .emptyTag: "there is no tag after ':'"
        case .invalidTag(let tag):
            "'\(tag)' is no tag: letters, digits, '_', '.' and '-', and no '.' or '-' in front"
        case .tagTooLong(let count): "the tag has \(count) characters, at most 128 are allowed"
        case .invalidDigest(let text, let reason): "'\(text)' is no digest: \(reason.sentence)"
        case .looksLikeImageID: "64 hex digits are an image ID, not a name"
        case .hasScheme: "an image name has no scheme"
        }
    }

    /// What to write instead, where that can be told.
    public var hint: String? {
        switch self {
        case .uppercase(let suggestion), .hasScheme(let suggestion): "did you mean '\(suggestion)'?"
        default: nil
        }
    }
}

extension BuildError.Code {
    /// A text is no image name.
    public static let invalidImageReference = BuildError.Code(rawValue: "invalid-image-reference")
}

extension BuildError {
    /// The error to show for a text that ``ImageReference/init(parsing:)`` refused.
    public static func invalidImageReference(
        _ text: String, _ reason: ImageReference.Invalid, at location: SourceLocation? = nil
    ) -> BuildError {
        let shown = text.unicodeScalars.count > 200 ? text.prefix(200) + "…" : text[...]
        return BuildError(
            .invalidImageReference, "invalid image name '\(shown)': \(reason)", hint: reason.hint, at: location)
    }
}
