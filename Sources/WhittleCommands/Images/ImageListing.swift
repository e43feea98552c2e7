internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleOCI

/// What `whittle images` prints.
struct ImageListing {
    /// In the order to be shown.
    let images: [StoredImage]
    var now: Timestamp
    /// Whether IDs are cut to 12 digits.
    var isShort = true
    var showsDigests = false

    /// Docker's table.
    var table: String {
        var table = TextTable(
            ["REPOSITORY", "TAG"] + (showsDigests ? ["DIGEST"] : []) + ["IMAGE ID", "CREATED", "SIZE"])
        for image in images {
            table.add(
                [image.name.familiarRepository, image.name.tag ?? "<none>"]
                    + (showsDigests ? [image.target.digest.description] : []) + [
                        id(image), RelativeTime.text(of: image.configuration.created, now: now),
                        image.size.description,
                    ])
        }
        return table.text
    }

    /// One ID a line, an image with several names once.
    var ids: String {
        var seen: Set<Digest> = []
        return images.filter { seen.insert($0.id).inserted }.map { id($0) + "\n" }.joined()
    }

    /// One JSON object a line, with docker's keys.
    var json: String {
        images.map { image in
            var value: JSONValue = [
                "Containers": "N/A",
                "CreatedSince": .string(RelativeTime.text(of: image.configuration.created, now: now)),
                "Digest": .string(image.target.digest.description), "ID": .string(id(image)),
                "Platform": .string(image.configuration.platform.description),
                "Repository": .string(image.name.familiarRepository), "SharedSize": "N/A",
                "Size": .string(image.size.description), "Tag": .string(image.name.tag ?? "<none>"),
                "UniqueSize": "N/A",
            ]
            value["CreatedAt"] = .string(image.configuration.created.map { RelativeTime.absolute($0) } ?? "N/A")
            return value.text() + "\n"
        }.joined()
    }

    private func id(_ image: StoredImage) -> String { isShort ? image.id.short : image.id.description }
}

/// What `whittle history` prints.
struct HistoryListing {
    /// Newest first.
    let steps: [StoredImage.Step]
    var now: Timestamp
    /// Whether IDs and commands are cut to fit a table.
    var isShort = true
    /// Whether sizes and times are for people: `1.2MB` and `2 hours ago`, not bytes and dates.
    var isHuman = true

    /// Docker's table.
    var table: String {
        var table = TextTable(["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"])
        for step in steps {
            table.add([id(step), created(step), createdBy(step), size(step), Self.line(step.comment)])
        }
        return table.text
    }

    /// One ID a line.
    var ids: String { steps.map { id($0) + "\n" }.joined() }

    /// One JSON object a line, with docker's keys; texts are whole and as they are in the image.
    var json: String {
        steps.map { step in
            let value: JSONValue = [
                "Comment": .string(step.comment),
                "CreatedAt": .string(step.created.map { Timestamp(seconds: $0.seconds).rfc3339 } ?? "N/A"),
                "CreatedBy": .string(step.createdBy),
                "CreatedSince": .string(RelativeTime.text(of: step.created, now: now)), "ID": .string(id(step)),
                "Size": .string(size(step)),
            ]
            return value.text() + "\n"
        }.joined()
    }

    private func id(_ step: StoredImage.Step) -> String {
        guard let id = step.id else { return "<missing>" }
        return isShort ? id.short : id.description
    }

    private func created(_ step: StoredImage.Step) -> String {
        guard !isHuman else { return RelativeTime.text(of: step.created, now: now) }
        return step.created.map { Timestamp(seconds: $0.seconds).rfc3339 } ?? "N/A"
    }

    private func createdBy(_ step: StoredImage.Step) -> String {
        let line = Self.line(step.createdBy)
        return isShort ? TextWidth.shortened(line, to: 45) : line
    }

    private func size(_ step: StoredImage.Step) -> String {
        isHuman ? step.size.description : String(step.size.bytes)
    }

    /// `text` on one line, and without control characters: it comes from an image that anybody may have made.
    private static func line(_ text: String) -> String {
        var line = ""
        for character in text { line += character.isNewline || character == "\t" ? " " : String(character) }
        return BuildError.printable(line)
    }
}
