internal import WhittleCore
internal import WhittleOCI

/// How fields and inputs are kept: JSON arrays, since they are read only to explain.
extension StepRecord {
    var encodedFields: String {
        JSONValue.array(
            fields.map { field in
                let shown: JSONValue = field.shown.map { .string($0) } ?? .null
                return [.string(field.label), shown, .integer(Int64(bitPattern: field.fingerprint))]
            }
        ).text(as: .compact)
    }

    var encodedInputs: String {
        JSONValue.array(
            inputs.map { input in
                [
                    .integer(input.kind.rawValue), .string(input.name), .string(input.digest.description),
                    .string(input.detail),
                ]
            }
        ).text(as: .compact)
    }

    /// `nil` where the text is something else.
    static func fields(decoding text: String) -> [Field]? {
        // What cannot be read explains nothing, and stops nothing.
        guard let rows = (try? JSONValue(parsing: Array(text.utf8)))?.array else { return nil }
        return rows.compactMap { row in
            guard let label = row[0]?.string, let fingerprint = row[2]?.integer else { return nil }
            return Field(label: label, shown: row[1]?.string, fingerprint: UInt64(bitPattern: fingerprint))
        }
    }

    /// `nil` where the text is something else.
    static func inputs(decoding text: String) -> [Input]? {
        // As above.
        guard let rows = (try? JSONValue(parsing: Array(text.utf8)))?.array else { return nil }
        return rows.compactMap { row in
            guard let kind = row[0]?.integer.flatMap({ Input.Kind(rawValue: $0) }), let name = row[1]?.string,
                // As above.
                let digest = row[2]?.string.flatMap({ try? Digest(parsing: $0) })
            else { return nil }
            return Input(kind, name: name, digest: digest, detail: row[3]?.string ?? "")
        }
    }
}
