internal import CWhittleToml
internal import WhittleOCI

/// Reads TOML 1.0 as the JSON value that it stands for.
enum TOMLDocument {
    /// Why a text is no TOML.
    struct Invalid: Error, Hashable, Sendable {
        /// Counted from 1; 0 where unknown.
        let line: Int
        let column: Int
        let message: String
    }

    /// The document. Dates and times become strings.
    static func parse(_ bytes: [UInt8]) throws(Invalid) -> JSONValue {
        var result = whittle_toml_result()
        bytes.withUnsafeBytes { raw in
            whittle_toml_parse(raw.assumingMemoryBound(to: CChar.self).baseAddress, raw.count, &result)
        }
        defer { whittle_toml_free(&result) }
        guard let json = result.json else {
            let message = withUnsafeBytes(of: result.message) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw Invalid(line: Int(result.line), column: Int(result.column), message: message)
        }
        let text = UnsafeRawBufferPointer(start: json, count: result.json_length)
        do throws(JSONError) {
            // toml++ nests at most 256 levels; each may take a table and an array here.
            return try JSONValue(parsing: Array(text), depthLimit: 1024)
        } catch {
            throw Invalid(line: 0, column: 0, message: "\(error)")
        }
    }
}
