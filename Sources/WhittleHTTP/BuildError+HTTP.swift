public import WhittleCore

extension BuildError.Code {
    /// libcurl, which speaks HTTP, is not installed.
    public static let curlMissing = BuildError.Code(rawValue: "curl-missing")
}

extension BuildError {
    /// Nothing can be asked for over HTTP.
    package static func curlMissing(_ reason: String) -> BuildError {
        BuildError(
            .curlMissing, "cannot talk to servers: \(reason)",
            hint: "install libcurl: apt-get install libcurl4")
    }
}
