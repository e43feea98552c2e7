internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

/// What a registry says about a request that it refused.
///
/// Format: distribution-spec v1.1, "Error Codes". The text comes from a peer, so it is cut and made printable.
struct RegistryComplaint: Sendable {
    /// `CODE: message` of the first error; empty where the body is no such document.
    let text: String
    /// The codes of all errors: `BLOB_UNKNOWN`, `DENIED`.
    let codes: Set<String>

    init(_ body: [UInt8]) {
        guard let json = try? JSONValue(parsing: body) else {
            text = ""
            codes = []
            return
        }
        codes = Set((json["errors"]?.array ?? []).compactMap { $0["code"]?.string })
        let first = json["errors"]?[0]
        // Token servers answer with `details`, OAuth 2 servers with `error_description`.
        let message = first?["message"]?.string ?? json["details"]?.string ?? json["error_description"]?.string ?? ""
        let code = first?["code"]?.string ?? json["error"]?.string ?? ""
        let joined = [code, message].filter { !$0.isEmpty }.joined(separator: ": ")
        text = BuildError.printable(String(joined.unicodeScalars.prefix(300)))
    }

    /// The text in brackets behind a blank, or nothing.
    var sentence: String { text.isEmpty ? "" : " (\(text))" }
}
