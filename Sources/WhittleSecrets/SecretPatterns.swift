/// What is looked for after a step that was given secrets.
package struct SecretPatterns: Sendable {
    /// What a pattern stands for.
    struct Meaning: Hashable, Sendable {
        let secret: String
        let form: SecretForm
    }

    /// More than this of a form is not compared: two different files do not begin with the same 4 KiB by chance, and what is
    /// kept between two chunks is no longer than that.
    static let lengthLimit = 4096

    let table: PatternTable
    let meanings: [Meaning]

    /// The forms of `secrets` and of their parts, see ``KeyMaterial``. One that is too short counts for nothing.
    package init(_ secrets: [NamedSecret]) {
        var patterns: [[UInt8]] = []
        var meanings: [Meaning] = []
        var seen: Set<[UInt8]> = []
        for secret in secrets where !secret.isTooShort {
            let value = secret.trimmed
            for part in [Array(value)] + KeyMaterial.parts(of: value) {
                for (form, bytes) in SecretForms.all(of: part) {
                    let bytes = Array(bytes.prefix(Self.lengthLimit))
                    guard seen.insert(bytes).inserted else { continue }
                    patterns.append(bytes)
                    meanings.append(Meaning(secret: secret.id, form: form))
                }
            }
        }
        table = PatternTable(patterns)
        self.meanings = meanings
    }

    /// Whether there is nothing to look for.
    package var isEmpty: Bool { meanings.isEmpty }

    /// The secret that is in a text, and its form.
    package func leak(in text: some Collection<UInt8>) -> (secret: String, form: SecretForm)? {
        SecretForms.withoutLineEnds(text).withUnsafeBytes { table.firstMatch(in: $0) }.map {
            (meanings[$0.pattern].secret, meanings[$0.pattern].form)
        }
    }

    /// `text` with `***` in the place of secrets, for a path that may be made of one.
    package func redacted(_ text: String) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var position = 0
        bytes.withUnsafeBytes { buffer in
            while let match = table.firstMatch(in: buffer, from: position) {
                result += bytes[position..<match.range.lowerBound] + OutputRedactor.replacement
                position = match.range.upperBound
            }
        }
        return String(decoding: result + bytes[position...], as: UTF8.self)
    }
}
