package import WhittleOCI

/// One thing in which two images differ.
package struct Difference: Hashable, Sendable {
    package let field: Field
    /// What of the field: the name of a variable or label, a path, the number of a step; `nil` where there is one only.
    package let subject: String?
    /// What the first image has; `nil` for nothing.
    package let left: JSONValue?
    /// What the second image has; `nil` for nothing.
    package let right: JSONValue?

    package init(_ field: Field, _ subject: String?, _ left: JSONValue?, _ right: JSONValue?) {
        self.field = field
        self.subject = subject
        self.left = left
        self.right = right
    }

    package enum Section: String, CaseIterable, Sendable {
        case config, history, layers, files
    }

    /// The name of a field with its section: `config.Env`, `files.mode`. In texts in this form, and in `--ignore`.
    package struct Field: Hashable, Sendable, CustomStringConvertible {
        package let section: Section
        package let name: String

        package init(_ section: Section, _ name: String) {
            self.section = section
            self.name = name
        }

        package var description: String { "\(section.rawValue).\(name)" }

        /// The fields that whittle compares. An image may have others of its own in its configuration.
        package static let known: [Field] =
            [
                "architecture", "os", "variant", "os.version", "created", "author", "User", "ExposedPorts", "Env",
                "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Shell", "OnBuild", "Healthcheck",
                "ArgsEscaped", "annotations",
            ].map { Field(.config, $0) }
            + ["step", "created_by", "comment", "author", "created", "empty_layer"].map { Field(.history, $0) }
            + ["count", "diffID", "entry"].map { Field(.layers, $0) }
            + fileFields.map { Field(.files, $0) }

        /// The fields of a file, in the order in which they are told.
        static let fileFields = [
            "path", "type", "mode", "owner", "content", "link", "device", "xattr", "hardlink", "time",
        ]
    }

    /// How the thing changed from the first image to the second.
    package enum Change: String, Sendable { case added, removed, changed }

    package var change: Change { left == nil ? .added : right == nil ? .removed : .changed }
}
