internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI

/// An image as `docker image inspect` shows it (Engine API v1.50, `ImageInspect`).
///
/// Left out is what only a daemon knows: graph driver, docker's version, times of tagging.
struct InspectDocument {
    private let image: StoredImage
    private let names: [ImageReference]

    /// - Parameter names: all names of the image.
    init(_ image: StoredImage, names: [ImageReference]) {
        self.image = image
        self.names = names
    }

    /// The document, its fields in docker's order.
    var record: TemplateRecord {
        let configuration = image.configuration
        var record = TemplateRecord()
        record.add("Id", .text(image.id.description))
        record.add("RepoTags", .texts(names.filter { $0.tag != nil }.map { $0.familiarName }))
        var seen: Set<String> = []
        record.add(
            "RepoDigests",
            .texts(
                names.map { "\($0.familiarRepository)@\($0.digest ?? image.target.digest)" }
                    .filter { seen.insert($0).inserted }))
        record.add("Comment", .text(configuration.history.last?.comment ?? ""))
        record.add("Created", .text(configuration.created?.rfc3339 ?? ""))
        record.add("Author", .text(configuration.author ?? ""))
        record.add("Config", .record(config))
        record.add("Architecture", .text(configuration.architecture))
        record.add("Variant", .text(configuration.variant), optional: true)
        record.add("Os", .text(configuration.os))
        record.add("OsVersion", .text(configuration.osVersion), optional: true)
        record.add("Size", .integer(image.size.bytes))
        record.add("RootFS", .record(rootFS))
        record.add("Descriptor", .record(descriptor))
        return record
    }

    private var rootFS: TemplateRecord {
        var record = TemplateRecord()
        record.add("Type", .text("layers"))
        record.add("Layers", .texts(image.configuration.diffIDs.map { $0.description }), optional: true)
        return record
    }

    private var descriptor: TemplateRecord {
        var record = TemplateRecord()
        record.add("mediaType", .text(image.target.mediaType.rawValue))
        record.add("digest", .text(image.target.digest.description))
        record.add("size", .integer(image.target.size))
        return record
    }

    private var config: TemplateRecord {
        let config = image.configuration.config
        var record = TemplateRecord()
        record.add("User", .text(config.user))
        record.add("ExposedPorts", Self.keys(config.exposedPorts), optional: true)
        record.add("Env", .texts(config.environment))
        record.add("Cmd", .texts(config.command))
        record.add("Healthcheck", config.healthcheck.map { .record(Self.healthcheck($0)) } ?? .none, optional: true)
        record.add("ArgsEscaped", .bool(config.argsEscaped), optional: true)
        record.add("Volumes", config.volumes.isEmpty ? .map(nil) : Self.keys(config.volumes))
        record.add("WorkingDir", .text(config.workingDirectory))
        record.add("Entrypoint", .texts(config.entrypoint))
        record.add("OnBuild", config.onBuild.isEmpty ? .list(nil) : .texts(config.onBuild))
        record.add("Labels", config.labels.isEmpty ? .map(nil) : .map(config.labels.mapValues { .text($0) }))
        record.add("StopSignal", .text(config.stopSignal), optional: true)
        record.add("Shell", .texts(config.shell), optional: true)
        return record
    }

    private static func keys(_ keys: Set<String>) -> TemplateValue {
        .map(Dictionary(uniqueKeysWithValues: keys.map { ($0, .record(TemplateRecord())) }))
    }

    private static func healthcheck(_ check: Healthcheck) -> TemplateRecord {
        func nanoseconds(_ duration: Duration?) -> TemplateValue {
            guard let duration else { return .integer(0) }
            let parts = duration.components
            let whole = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
            return .integer(whole.overflow ? .max : whole.partialValue &+ parts.attoseconds / 1_000_000_000)
        }
        var record = TemplateRecord()
        record.add("Test", .texts(check.test), optional: true)
        record.add("Interval", nanoseconds(check.interval), optional: true)
        record.add("Timeout", nanoseconds(check.timeout), optional: true)
        record.add("StartPeriod", nanoseconds(check.startPeriod), optional: true)
        record.add("StartInterval", nanoseconds(check.startInterval), optional: true)
        record.add("Retries", .integer(check.retries ?? 0), optional: true)
        return record
    }
}
