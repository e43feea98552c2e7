internal import WhittleCore
internal import WhittleGraph
internal import WhittleOCI
internal import WhittleSecrets

/// Looks for secrets in an image configuration.
///
/// A secret of a step cannot get there, because no step writes the configuration. The person who builds can put one there:
/// by giving the same value as a build argument, which the history keeps, or in ENV or LABEL.
enum ConfigurationLeak {
    /// The error about the first value that holds a secret.
    static func find(_ secrets: [NamedSecret], in configuration: ImageConfiguration) -> BuildError? {
        let patterns = SecretPatterns(secrets)
        guard !patterns.isEmpty else { return nil }
        for (place, text) in values(of: configuration) {
            guard let (secret, form) = patterns.leak(in: text.utf8) else { continue }
            return .configurationLeak(secret, form, in: "\(place) '\(BuildError.shortened(patterns.redacted(text)))'")
        }
        return nil
    }

    private static func values(of configuration: ImageConfiguration) -> [(place: String, text: String)] {
        let config = configuration.config
        var values = config.environment.map { (place: "the environment", text: $0) }
        values += config.labels.sorted { $0.key < $1.key }.map { (place: "the label", text: "\($0.key)=\($0.value)") }
        values += configuration.history.map { (place: "the history", text: $0.createdBy ?? "") }
        let command = (config.entrypoint ?? []) + (config.command ?? []) + (config.shell ?? [])
        values += (command + (config.healthcheck?.test ?? [])).map { (place: "the command", text: $0) }
        values += config.onBuild.map { (place: "the trigger", text: $0) }
        let names = [config.user, config.workingDirectory] + config.volumes.sorted() + config.exposedPorts.sorted()
        return values + names.map { (place: "the configuration", text: $0) }
    }
}

extension BuildError {
    static func configurationLeak(_ secret: String, _ form: SecretForm, in place: String) -> BuildError {
        BuildError(
            .secretLeak,
            "looking for secrets in the image's configuration: secret '\(secret)' is in \(place) (\(form.rawValue))",
            hint: "give it to the steps that need it with RUN --mount=type=secret, not as an argument or variable; "
                + "where it is meant to be in the image, --allow-secret-leak turns this into a warning")
    }
}

extension BuildWarning {
    static func shortSecret(_ id: String) -> BuildWarning {
        BuildWarning(
            "secret '\(id)' has fewer than \(NamedSecret.minimumLength) bytes: it is not looked for in what steps write "
                + "and print, because so few bytes are there by chance")
    }
}
