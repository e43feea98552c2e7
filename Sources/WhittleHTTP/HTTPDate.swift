package import WhittleCore

/// Reads dates of HTTP (RFC 9110, section 5.6.7).
package enum HTTPDate {
    /// The time of a date in the preferred form, `Wed, 21 Oct 2015 07:28:00 GMT`; `nil` for anything else.
    package static func parse(_ text: String) -> Timestamp? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", parts[1].count == 2,
            let month = months.firstIndex(where: { $0 == parts[2] })
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return Timestamp(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}

/// Reads the header `Retry-After` (RFC 9110, section 10.2.3).
package enum RetryAfter {
    /// The wait that `text` asks for: a number of seconds, or a date in the preferred form. `nil` for anything else; never
    /// negative.
    package static func duration(_ text: String, now: Timestamp) -> Duration? {
        // A century, so that nothing overflows.
        if let seconds = UInt64(text) { return .seconds(min(seconds, 3_155_760_000)) }
        guard let date = HTTPDate.parse(text) else { return nil }
        return .seconds(max(0, date.seconds - now.seconds))
    }
}
