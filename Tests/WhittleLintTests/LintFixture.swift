import WhittleCore
import WhittleDockerfile
import WhittleLint
import WhittleOCI

/// What the checks say of a text, as `Rule:LINE` or `Rule:FIRST-LAST`, by line and rule.
func findings(_ text: String, _ change: (inout LintRequest) -> Void = { _ in }) -> [String] {
    report(text, change).findings
        .sorted { ($0.lines.lowerBound, $0.rule.name) < ($1.lines.lowerBound, $1.rule.name) }
        .map { finding in
            let lines = finding.lines
            let place = lines.count == 1 ? "\(lines.lowerBound)" : "\(lines.lowerBound)-\(lines.upperBound)"
            return "\(finding.rule.name):\(place)"
        }
}

/// All stages are looked at, as `--call=check` does.
func report(_ text: String, _ change: (inout LintRequest) -> Void = { _ in }) -> LintReport {
    var request = LintRequest()
    request.looksAtAllStages = true
    request.targetPlatform = Platform(os: "linux", architecture: "amd64")
    request.buildPlatform = request.targetPlatform
    change(&request)
    return LintReport(SourceText(Array(text.utf8), file: "Dockerfile"), request)
}
