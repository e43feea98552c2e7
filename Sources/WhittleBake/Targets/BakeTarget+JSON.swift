package import WhittleOCI

extension BakeTarget {
    /// The target as `docker buildx bake --print` writes it.
    package var json: JSONValue {
        var json: JSONValue = .object(JSONObject())
        func texts(_ key: String, _ values: [String]?) {
            if let values, !values.isEmpty { json[key] = .array(values.map { .string($0) }) }
        }
        func table(_ key: String, _ values: [String: String]) {
            if !values.isEmpty { json[key] = .object(JSONObject(values)) }
        }
        func entries(_ key: String, _ values: [BakeEntry]?, _ each: (BakeEntry) -> JSONValue = { $0.json }) {
            if let values, !values.isEmpty { json[key] = .array(values.map(each)) }
        }
        json["description"] = description.map { .string($0) }
        texts("annotations", annotations)
        entries("attest", attest)
        json["context"] = context.map { .string($0) }
        table("contexts", contexts)
        json["dockerfile"] = dockerfile.map { .string($0) }
        json["dockerfile-inline"] = dockerfileInline.map { .string($0) }
        table("args", arguments)
        table("labels", labels)
        texts("tags", tags)
        entries("cache-from", cacheFrom)
        entries("cache-to", cacheTo)
        json["target"] = stage.map { .string($0) }
        entries("secret", secrets)
        entries("ssh", ssh) { entry in
            var json = JSONObject()
            json["id"] = entry["id"].map { .string($0) }
            json["paths"] = entry["paths"].map { .array($0.split(separator: ",").map { .string(String($0)) }) }
            return .object(json)
        }
        texts("platforms", platforms)
        entries("output", outputs)
        json["pull"] = pull.map { .bool($0) }
        json["no-cache"] = noCache.map { .bool($0) }
        json["network"] = network.map { .string($0) }
        texts("no-cache-filter", noCacheFilter)
        json["shm-size"] = sharedMemory.map { .string($0) }
        texts("ulimits", limits)
        table("resources", resources)
        json["call"] = call.map { .string($0) }
        texts("entitlements", entitlements)
        table("extra-hosts", extraHosts)
        return json
    }
}

extension BakeEntry {
    /// Members in the order of their keys, as in buildx.
    fileprivate var json: JSONValue {
        .object(JSONObject(Dictionary(fields.map { ($0.key, $0.value) }) { $1 }))
    }
}
