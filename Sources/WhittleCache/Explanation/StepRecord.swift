package import WhittleCore

/// What went into a step that ran, in a form that can be compared with a later run of the same step and shown.
///
/// Kept beside the cache record and not in place of it: the key decides, this explains. Values of secrets and proxy
/// settings are no part of a key and never get here.
package struct StepRecord: Hashable, Sendable {
    /// The digest of the cache key.
    package var key: Digest
    /// Names the Dockerfile and context that the step belongs to.
    package var scope: Digest
    package var stage: String
    /// In the stage, counted from 1.
    package var position: Int
    /// The instruction as it is written.
    package var instruction: String
    /// What the op itself consists of, in order.
    package var fields: [Field]
    /// One for each input of the step, in order.
    package var inputs: [Input]

    package init(
        key: Digest, scope: Digest, stage: String, position: Int, instruction: String, fields: [Field], inputs: [Input]
    ) {
        self.key = key
        self.scope = scope
        self.stage = stage
        self.position = position
        self.instruction = instruction
        self.fields = fields
        self.inputs = inputs
    }

    /// A part of an op: an environment variable, a mount, the user.
    package struct Field: Hashable, Sendable {
        /// `ARG VERSION`, `USER`, `mount /src`. Unique in a step.
        package var label: String
        /// The value as it is shown: cut where it is long, `nil` where it may not be shown.
        package var shown: String?
        /// The first 8 bytes of the SHA-256 of the whole value.
        package var fingerprint: UInt64

        /// The most that is kept of a value, in characters; longer ones are compared by their fingerprint.
        static let limit = 120

        /// - Parameter value: the whole value.
        package init(_ label: String, _ value: String) {
            self.label = label
            let isSecret = Self.namesSecret(label)
            let isPlain = !value.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
            shown = !isSecret && isPlain && value.count <= Self.limit ? value : nil
            fingerprint = Digest(hashing: value).bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }

        init(label: String, shown: String?, fingerprint: UInt64) {
            self.label = label
            self.shown = shown
            self.fingerprint = fingerprint
        }

        /// Whether a variable of this name is likely to hold a secret; the words are those of BuildKit's check
        /// `SecretsUsedInArgOrEnv`.
        private static func namesSecret(_ label: String) -> Bool {
            guard label.hasPrefix("ARG ") || label.hasPrefix("ENV ") else { return false }
            let words = label.dropFirst(4).lowercased().split { !$0.isLetter && !$0.isNumber }
            let secret: Set<Substring> = [
                "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token",
            ]
            return words.contains { secret.contains($0) } && !words.contains("public")
        }
    }

    /// An input of the step.
    package struct Input: Hashable, Sendable {
        /// How it counts in the key.
        package enum Kind: Int64, Hashable, Sendable {
            /// The step builds on an image.
            case image = 0
            /// The step builds on what another step made.
            case step = 1
            /// The step reads files of a context.
            case context = 2
            /// The step reads files of a stage, an image or an inline document.
            case files = 3
        }

        package var kind: Kind
        /// As messages call it: `alpine:3.19`, `[build 2/4] RUN npm ci`, `the build context`, `the stage 'build'`.
        package var name: String
        /// Its part of the key.
        package var digest: Digest
        /// For an image the digest of its manifest, shortened; otherwise empty.
        package var detail: String

        package init(_ kind: Kind, name: String, digest: Digest, detail: String = "") {
            self.kind = kind
            self.name = name
            self.digest = digest
            self.detail = detail
        }
    }
}
