internal import WhittleCore

/// Says how long ago something was, in docker's words.
enum RelativeTime {
    /// `About a minute ago`, `3 weeks ago`; `N/A` for no time and for times before 2000, which stand for none.
    static func text(of time: Timestamp?, now: Timestamp) -> String {
        guard let time, time.seconds > 946_684_800 else { return "N/A" }
        return duration(seconds: now.seconds - time.seconds) + " ago"
    }

    /// An approximation with one unit, rounded as docker rounds: down, but for hours, which are rounded to the nearest.
    static func duration(seconds: Int64) -> String {
        let hours = (seconds + 1800) / 3600
        switch seconds {
        case ..<1: return "Less than a second"
        case 1: return "1 second"
        case ..<60: return "\(seconds) seconds"
        case ..<120: return "About a minute"
        case ..<3600: return "\(seconds / 60) minutes"
        default: break
        }
        switch hours {
        case 1: return "About an hour"
        case ..<48: return "\(hours) hours"
        case ..<(24 * 7 * 2): return "\(hours / 24) days"
        case ..<(24 * 30 * 2): return "\(hours / 24 / 7) weeks"
        case ..<(24 * 365 * 2): return "\(hours / 24 / 30) months"
        default: return "\(seconds / 3600 / 24 / 365) years"
        }
    }

    /// `2024-05-01 12:00:00 +0000 UTC`, as docker's `CreatedAt` in UTC.
    static func absolute(_ time: Timestamp) -> String {
        let text = Timestamp(seconds: time.seconds).rfc3339
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) +0000 UTC"
    }
}
