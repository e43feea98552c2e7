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

    /// Docker's fields, in docker's order of JSON members, with docker's headings.
    private static let headings: [(field: String, heading: String)] = [
        ("Containers", "CONTAINERS"), ("CreatedAt", "CREATED AT"), ("CreatedSince", "CREATED"), ("Digest", "DIGEST"),
        ("ID", "IMAGE ID"), ("Platform", "PLATFORM"), ("Repository", "REPOSITORY"), ("SharedSize", "SHARED SIZE"),
        ("Size", "SIZE"), ("Tag", "TAG"), ("UniqueSize", "UNIQUE SIZE"),
    ]

    /// The images as rows.
    var listing: Listing {
        Listing(
            headings: Self.headings,
            columns: ["Repository", "Tag"] + (showsDigests ? ["Digest"] : []) + ["ID", "CreatedSince", "Size"],
            rows: images.map { row($0) })
    }

    /// Docker's table.
    var table: String { listing.table }

    /// One ID a line, an image with several names once.
    var ids: String {
        var seen: Set<Digest> = []
        return images.filter { seen.insert($0.id).inserted }.map { id($0) + "\n" }.joined()
    }

    private func row(_ image: StoredImage) -> TemplateRecord {
        let created = image.configuration.created
        return TemplateRecord(texts: [
            ("Containers", "N/A"), ("CreatedAt", created.map { RelativeTime.absolute($0) } ?? "N/A"),
            ("CreatedSince", RelativeTime.text(of: created, now: now)),
            ("Digest", image.target.digest.description), ("ID", id(image)),
            ("Platform", image.configuration.platform.description),
            ("Repository", image.name?.familiarRepository ?? "<none>"), ("SharedSize", "N/A"),
            ("Size", image.size.description), ("Tag", image.name?.tag ?? "<none>"), ("UniqueSize", "N/A"),
        ])
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

    private static let headings: [(field: String, heading: String)] = [
        ("Comment", "COMMENT"), ("CreatedAt", "CREATED AT"), ("CreatedBy", "CREATED BY"), ("CreatedSince", "CREATED"),
        ("ID", "IMAGE"), ("Size", "SIZE"),
    ]

    /// The steps as rows.
    var listing: Listing {
        Listing(
            headings: Self.headings, columns: ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"],
            rows: steps.map { row($0) })
    }

    /// Docker's table.
    var table: String { listing.table }

    /// One ID a line.
    var ids: String { steps.map { id($0) + "\n" }.joined() }

    private func row(_ step: StoredImage.Step) -> TemplateRecord {
        let absolute = step.created.map { Timestamp(seconds: $0.seconds).rfc3339 } ?? "N/A"
        return TemplateRecord(texts: [
            ("Comment", Self.line(step.comment)), ("CreatedAt", absolute), ("CreatedBy", createdBy(step)),
            ("CreatedSince", isHuman ? RelativeTime.text(of: step.created, now: now) : absolute), ("ID", id(step)),
            ("Size", isHuman ? step.size.description : String(step.size.bytes)),
        ])
    }

    private func id(_ step: StoredImage.Step) -> String {
        guard let id = step.id else { return "<missing>" }
        return isShort ? id.short : id.description
    }

    private func createdBy(_ step: StoredImage.Step) -> String {
        let line = Self.line(step.createdBy)
        return isShort ? DisplayText.fitted(line, to: 45) : line
    }

    /// `text` on one line, and without control characters: it comes from an image that anybody may have made.
    private static func line(_ text: String) -> String {
        var line = ""
        for character in text { line += character.isNewline || character == "\t" ? " " : String(character) }
        return BuildError.printable(line)
    }
}
