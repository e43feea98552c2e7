internal import WhittleCore
internal import WhittleOCI

extension CacheConfig {
    /// The longest document that is read. BuildKit stops at 1 MiB; 64 MiB are the records of some hundred thousand steps.
    package static let sizeLimit = 64 << 20
    /// The most entries of each kind. Far beyond any build, and small enough that a short hostile document costs little.
    static let entryLimit = 1 << 20

    /// Reads a configuration.
    ///
    /// - Throws: `malformed-cache` where it is not what the format demands, an index is out of range, or layers or records
    ///   form a circle.
    package init(parsing bytes: [UInt8]) throws {
        try self.init(try Self.root(of: bytes).config)
    }

    /// A configuration and, where it carries them, what the blobs of its layers are.
    static func root(of bytes: [UInt8]) throws -> (config: JSONValue, count: Int) {
        guard bytes.count <= sizeLimit else {
            throw BuildError.malformedCache(
                "it has \(ByteCount(bytes.count)), and the limit is \(ByteCount(sizeLimit))")
        }
        do {
            return (try JSONValue(parsing: bytes), bytes.count)
        } catch {
            throw BuildError.malformedCache("not JSON: \(error)")
        }
    }

    init(_ value: JSONValue) throws {
        guard let object = value.object else {
            throw BuildError.malformedCache("expected an object, found \(value.kind)")
        }
        layers = try Self.elements(object["layers"], "layers").map { try Layer($0) }
        records = try Self.elements(object["records"], "records").map { try Record($0) }
        mounts = try Self.mounts(object["whittle"]?["mounts"])
        try validate()
    }

    static func elements(_ value: JSONValue?, _ name: String) throws -> [JSONValue] {
        guard let value, !value.isNull else { return [] }
        guard let array = value.array else {
            throw BuildError.malformedCache("'\(name)': expected an array, found \(value.kind)")
        }
        guard array.count <= entryLimit else {
            throw BuildError.malformedCache("'\(name)' has \(array.count) entries, and the limit is \(entryLimit)")
        }
        return array
    }

    private static func mounts(_ value: JSONValue?) throws -> [String: Mount] {
        var mounts: [String: Mount] = [:]
        for member in value?.object?.members ?? [] {
            guard let created = member.value["created"]?.integer else {
                throw BuildError.malformedCache("the mount '\(member.key.prefix(64))' has no time")
            }
            let layers = try elements(member.value["layers"], "mounts").map { try index($0, "mounts") }
            mounts[member.key] = Mount(layers: layers, created: Timestamp(seconds: created))
        }
        return mounts
    }

    fileprivate static func index(_ value: JSONValue?, _ name: String) throws -> Int {
        guard let number = value?.integer, let index = Int(exactly: number) else {
            throw BuildError.malformedCache("'\(name)': expected an index, found \(value?.kind ?? "nothing")")
        }
        return index
    }

    fileprivate static func digest(_ value: JSONValue?, _ name: String) throws -> Digest {
        guard let text = value?.string, let digest = try? Digest(parsing: text) else {
            throw BuildError.malformedCache("'\(name)': expected a SHA-256 digest, found \(value?.kind ?? "nothing")")
        }
        return digest
    }

    /// `nil` for the zero time, which Go writes where no time is known.
    fileprivate static func time(_ value: JSONValue?) -> Timestamp? {
        guard let time = value?.string.flatMap({ Timestamp(rfc3339: $0) }), time.seconds > 0 else { return nil }
        return time
    }
}

extension CacheConfig.Layer {
    fileprivate init(_ value: JSONValue) throws {
        blob = try CacheConfig.digest(value["blob"], "blob")
        // Go leaves out a zero, and writes -1 for the lowest layer.
        let index = try value["parent"].map { try CacheConfig.index($0, "parent") } ?? 0
        parent = index == -1 ? nil : index
        created =
            value["whittle"]?["created"]?.integer.map { Timestamp(seconds: $0) }
            ?? CacheConfig.time(value["annotations"]?["createdAt"])
        form = value["whittle"]?["form"]?.string
    }
}

extension CacheConfig.Record {
    fileprivate init(_ value: JSONValue) throws {
        digest = try CacheConfig.digest(value["digest"], "digest")
        inputs = try CacheConfig.elements(value["inputs"], "inputs").map { alternatives in
            let alternatives = try CacheConfig.elements(alternatives, "inputs")
            guard !alternatives.isEmpty else {
                throw BuildError.malformedCache("a record has an input without any record for it")
            }
            return try alternatives.map {
                CacheConfig.Input(
                    selector: $0["selector"]?.string.flatMap { $0.isEmpty ? nil : $0 },
                    link: try CacheConfig.index($0["link"], "link"))
            }
        }
        results = try CacheConfig.elements(value["layers"], "layers").map {
            let layer = try CacheConfig.index($0["layer"], "layer")
            return CacheConfig.Result(
                layers: .chain(layer), created: CacheConfig.time($0["createdAt"]) ?? Timestamp(seconds: 0),
                details: try $0["whittle"].map { try CacheConfig.Details($0) })
        }
        results += try CacheConfig.elements(value["chains"], "chains").map {
            let layers = try CacheConfig.elements($0["layers"], "layers").map { try CacheConfig.index($0, "layers") }
            return CacheConfig.Result(
                layers: .list(layers), created: CacheConfig.time($0["createdAt"]) ?? Timestamp(seconds: 0),
                details: try $0["whittle"].map { try CacheConfig.Details($0) })
        }
    }
}

extension CacheConfig.Details {
    fileprivate init(_ value: JSONValue) throws {
        guard let latest = value["latestInput"]?.integer else {
            throw BuildError.malformedCache("'latestInput': expected a number, found nothing")
        }
        latestInput = Timestamp(seconds: latest)
        duration = value["duration"]?.integer ?? 0
        empty = try CacheConfig.elements(value["empty"], "empty").map {
            let position = try CacheConfig.index($0["at"], "at")
            guard (0..<4096).contains(position) else { throw BuildError.malformedCache("'at' is \(position)") }
            return CacheConfig.EmptyLayer(
                position: position, created: Timestamp(seconds: $0["created"]?.integer ?? 0))
        }
    }
}

// MARK: - Validation

extension CacheConfig {
    private func validate() throws {
        for layer in layers { try check(layer.parent, "parent", below: layers.count) }
        for record in records {
            for input in record.inputs.joined() { try check(input.link, "link", below: records.count) }
            for result in record.results {
                switch result.layers {
                case .chain(let top): try check(top, "layer", below: layers.count)
                case .list(let positions):
                    for position in positions { try check(position, "layers", below: layers.count) }
                }
            }
        }
        for mount in mounts.values { for layer in mount.layers { try check(layer, "mounts", below: layers.count) } }
        try Self.refuseCircles(layers.map { $0.parent.map { [$0] } ?? [] }, of: "layers")
        try Self.refuseCircles(records.map { $0.inputs.joined().map(\.link) }, of: "records")
    }

    private func check(_ index: Int?, _ name: String, below count: Int) throws {
        guard let index, !(0..<count).contains(index) else { return }
        throw BuildError.malformedCache("'\(name)' is \(index), and there are \(count)")
    }

    /// Takes away, again and again, what nothing left leads to; what stays forms circles.
    private static func refuseCircles(_ targets: [[Int]], of name: String) throws {
        var incoming = Array(repeating: 0, count: targets.count)
        for target in targets.joined() { incoming[target] += 1 }
        var free = incoming.indices.filter { incoming[$0] == 0 }
        var removed = 0
        while let next = free.popLast() {
            removed += 1
            for target in targets[next] {
                incoming[target] -= 1
                if incoming[target] == 0 { free.append(target) }
            }
        }
        guard removed == targets.count else { throw BuildError.malformedCache("its \(name) form a circle") }
    }
}
