internal import WhittleCore
package import WhittleOCI

extension CacheConfig {
    /// The document: members in Go's order, layers and records sorted, so that equal configurations are equal bytes.
    package func encoded() -> [UInt8] { sorted().json { _ in nil }.encoded(as: .compact) }

    /// - Parameter annotations: what to say of a layer besides, for places that keep no descriptors.
    func json(annotations: (Layer) -> JSONValue?) -> JSONValue {
        var value: JSONValue = .object(JSONObject())
        if !layers.isEmpty { value["layers"] = .array(layers.map { $0.json(annotations: annotations($0)) }) }
        if !records.isEmpty { value["records"] = .array(records.map(\.json)) }
        if !mounts.isEmpty {
            var object = JSONObject()
            for (identity, mount) in mounts.sorted(by: { $0.key < $1.key }) {
                object[identity] = [
                    "layers": .array(mount.layers.map { .integer(Int64($0)) }),
                    "created": .integer(mount.created.seconds),
                ]
            }
            value["whittle"] = ["mounts": .object(object)]
        }
        return value
    }

    /// The records alone, as an image configuration has them.
    package var recordsJSON: JSONValue { .array(sorted(keepingLayers: true).records.map(\.json)) }

    /// The same with layers by blob and parent, and records by digest and inputs.
    ///
    /// - Parameter keepsLayers: whether the order of the layers is given from outside.
    func sorted(keepingLayers keepsLayers: Bool = false) -> CacheConfig {
        let layerOrder =
            keepsLayers ? Array(layers.indices) : layers.indices.sorted { layers[$0].precedes(layers[$1]) }
        let layerPositions = Self.positions(layerOrder)
        var result = CacheConfig(
            layers: layerOrder.map { old in
                var layer = layers[old]
                layer.parent = layer.parent.map { layerPositions[$0] }
                return layer
            })
        let keys = records.map { record in
            ([record.digest.hex, "\(record.inputs.count)"]
                + record.inputs.joined().flatMap { [$0.selector ?? "", records[$0.link].digest.hex] })
                .joined(separator: "\n")
        }
        let recordOrder = records.indices.sorted { keys[$0] < keys[$1] }
        let recordPositions = Self.positions(recordOrder)
        result.records = recordOrder.map { records[$0].renumbered(layers: layerPositions, records: recordPositions) }
        result.mounts = mounts.mapValues { mount in
            Mount(layers: mount.layers.map { layerPositions[$0] }, created: mount.created)
        }
        return result
    }

    private static func positions(_ order: [Int]) -> [Int] {
        var positions = Array(repeating: 0, count: order.count)
        for (new, old) in order.enumerated() { positions[old] = new }
        return positions
    }
}

extension CacheConfig.Layer {
    fileprivate func precedes(_ other: Self) -> Bool {
        blob.hex == other.blob.hex ? (parent ?? -1) < (other.parent ?? -1) : blob.hex < other.blob.hex
    }

    fileprivate func json(annotations: JSONValue?) -> JSONValue {
        var value: JSONValue = ["blob": .string("\(blob)")]
        // Go leaves out a zero; -1 is the lowest layer.
        if parent != 0 { value["parent"] = .integer(Int64(parent ?? -1)) }
        if let annotations { value["annotations"] = annotations }
        var own: JSONValue?
        if let form { own["form"] = .string(form) }
        if let created { own["created"] = .integer(created.seconds) }
        if let own { value["whittle"] = own }
        return value
    }
}

extension JSONValue? {
    /// Begins an object with the first member.
    fileprivate subscript(key: String) -> JSONValue? {
        get { self?.object?[key] }
        set {
            var object = self?.object ?? JSONObject()
            object[key] = newValue
            self = .object(object)
        }
    }
}

extension CacheConfig.Record {
    fileprivate func renumbered(layers: [Int], records: [Int]) -> Self {
        var record = self
        record.inputs = inputs.map { alternatives in
            alternatives.map { CacheConfig.Input(selector: $0.selector, link: records[$0.link]) }
                .sorted { ($0.link, $0.selector ?? "") < ($1.link, $1.selector ?? "") }
        }
        record.results = results.map { result in
            var result = result
            switch result.layers {
            case .chain(let top): result.layers = .chain(layers[top])
            case .list(let positions): result.layers = .list(positions.map { layers[$0] })
            }
            return result
        }
        return record
    }

    fileprivate var json: JSONValue {
        var value: JSONValue = .object(JSONObject())
        var chained: [JSONValue] = []
        var listed: [JSONValue] = []
        for result in results {
            switch result.layers {
            case .chain(let top): chained.append(result.json("layer", .integer(Int64(top))))
            case .list(let positions):
                listed.append(result.json("layers", .array(positions.map { .integer(Int64($0)) })))
            }
        }
        if !chained.isEmpty { value["layers"] = .array(chained) }
        if !listed.isEmpty { value["chains"] = .array(listed) }
        value["digest"] = .string("\(digest)")
        if !inputs.isEmpty {
            value["inputs"] = .array(inputs.map { alternatives in .array(alternatives.map(\.json)) })
        }
        return value
    }
}

extension CacheConfig.Input {
    fileprivate var json: JSONValue {
        var value: JSONValue = .object(JSONObject())
        if let selector { value["selector"] = .string(selector) }
        value["link"] = .integer(Int64(link))
        return value
    }
}

extension CacheConfig.Result {
    fileprivate func json(_ name: String, _ layers: JSONValue) -> JSONValue {
        var value: JSONValue = [name: layers, "createdAt": .string(created.rfc3339)]
        if let details {
            var own: JSONValue = [
                "latestInput": .integer(details.latestInput.seconds), "duration": .integer(details.duration),
            ]
            if !details.empty.isEmpty {
                own["empty"] = .array(
                    details.empty.map { ["at": .integer(Int64($0.position)), "created": .integer($0.created.seconds)] })
            }
            value["whittle"] = own
        }
        return value
    }
}
