internal import WhittleCore
package import WhittleOCI

extension ImageComparison {
    mutating func compareFiles(_ left: FileTree, _ right: FileTree) {
        let (a, b) = (left.items, right.items)
        let groups = (ignored.contains(.init(.files, "hardlink")) ? nil : Groups(a), Groups(b))
        var (i, j) = (0, 0)
        while i < a.count || j < b.count {
            if j == b.count || i < a.count && a[i].path.lexicographicallyPrecedes(b[j].path) {
                compareItems(a[i], nil)
                i += 1
            } else if i == a.count || b[j].path.lexicographicallyPrecedes(a[i].path) {
                compareItems(nil, b[j])
                j += 1
            } else {
                compareItems(a[i], b[j])
                if let first = groups.0 { compareLinks(a[i], first, b[j], groups.1) }
                i += 1
                j += 1
            }
        }
    }

    /// The names of files that have several.
    private struct Groups {
        var names: [Int: [[UInt8]]] = [:]

        init(_ items: [FileTree.Item]) {
            var first: [Int: [UInt8]] = [:]
            for item in items where item.entry.kind != .directory {
                guard let known = first[item.file] else {
                    first[item.file] = item.path
                    continue
                }
                names[item.file, default: [known]].append(item.path)
            }
        }
    }

    private mutating func compareItems(_ left: FileTree.Item?, _ right: FileTree.Item?) {
        guard let path = left?.path ?? right?.path, !ignored.excludes(path: path) else { return }
        // A root directory that only one side says something of is that of a tool, not of the image.
        if path.isEmpty, left == nil || right == nil { return }
        compareEntries(left?.entry, right?.entry, at: Self.shown(path), field: { .init(.files, $0) })
    }

    private mutating func compareLinks(_ left: FileTree.Item, _ a: Groups, _ right: FileTree.Item, _ b: Groups) {
        let (names, others) = (a.names[left.file] ?? [], b.names[right.file] ?? [])
        guard names != others, left.entry.kind == right.entry.kind, !ignored.excludes(path: left.path) else { return }
        func value(_ names: [[UInt8]]) -> JSONValue? {
            names.isEmpty ? nil : .array(names.map { .string(Self.shown($0)) })
        }
        compare(.init(.files, "hardlink"), Self.shown(left.path), value(names), value(others))
    }

    /// Compares two files member by member, or says that one of them is not there.
    private mutating func compareEntries(
        _ left: FileEntry?, _ right: FileEntry?, at subject: String, field: (String) -> Difference.Field
    ) {
        guard let a = left, let b = right else {
            return compare(field("path"), subject, left.map { $0.json }, right.map { $0.json })
        }
        guard a != b else { return }
        guard a.kind == b.kind else { return compare(field("type"), subject, a.json, b.json) }
        // Linux gives links no mode of their own.
        if a.kind != .symbolicLink { compare(field("mode"), subject, a.json["mode"], b.json["mode"]) }
        compare(field("owner"), subject, .string("\(a.uid):\(a.gid)"), .string("\(b.uid):\(b.gid)"))
        if a.content != b.content { compare(field("content"), subject, a.contentJSON, b.contentJSON) }
        compare(field("link"), subject, a.json["target"], b.json["target"])
        compare(field("device"), subject, a.json["device"], b.json["device"])
        if a.attributes != b.attributes { compare(field("xattr"), subject, a.attributesJSON, b.attributesJSON) }
        if !a.isImplicit, !b.isImplicit {
            compare(field("time"), subject, .string(a.modified.rfc3339), .string(b.modified.rfc3339))
        }
    }

    /// A path as it is shown: absolute, what is not UTF-8 replaced.
    static func shown(_ path: [UInt8]) -> String { "/" + String(decoding: path, as: UTF8.self) }
}

extension ImageComparison {
    mutating func compareLayers(_ left: [LayerContents], _ right: [LayerContents]) {
        let count = Difference.Field(.layers, "count")
        compare(count, .integer(Int64(left.count)), .integer(Int64(right.count)))
        let pairs = Self.paired(left, right) { self.isEqual($0, $1) }
        for pair in pairs {
            let number = "\((pair.right ?? pair.left ?? 0) + 1)"
            let (a, b) = (pair.left.map { left[$0] }, pair.right.map { right[$0] })
            // What is in a layer that only one image has is said by the files.
            guard let a, let b else { continue }
            compare(
                .init(.layers, "diffID"), number, .string(a.diffID.description), .string(b.diffID.description))
            if a.diffID != b.diffID { compareChanges(a, b, number) }
        }
    }

    /// Whether two layers are equal in all that is compared.
    private func isEqual(_ left: LayerContents, _ right: LayerContents) -> Bool {
        if left.diffID == right.diffID { return true }
        guard left.changes.count == right.changes.count else { return false }
        return left.changes.allSatisfy { path, change in
            right.changes[path].map { self.value(change) == self.value($0) } ?? false
        }
    }

    private mutating func compareChanges(_ left: LayerContents, _ right: LayerContents, _ number: String) {
        let field = Difference.Field(.layers, "entry")
        guard !ignored.contains(field) else { return }
        let paths = Set(left.changes.keys).union(right.changes.keys)
        for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) where !ignored.excludes(path: path) {
            let (a, b) = (left.changes[path].map(value), right.changes[path].map(value))
            compare(field, "\(number) \(Self.shown(path))", a, b)
        }
    }

    /// A change as it is compared: without what is ignored of files.
    private func value(_ change: LayerContents.Change) -> JSONValue {
        switch change {
        case .deletion: return .string("deleted")
        case .hardLink(let target): return ["type": "hard link", "target": .string(Self.shown(target))]
        case .entry(let entry):
            var json = entry.json
            for (field, members) in Self.members where ignored.names(.init(.files, field)) {
                for member in members { json[member] = nil }
            }
            if ignored.comparesTimes { json["time"] = .string(entry.modified.rfc3339) }
            return json
        }
    }

    /// Which members of a file's description say which field.
    private static let members = [
        "mode": ["mode"], "owner": ["uid", "gid"], "content": ["size", "digest"], "link": ["target"],
        "device": ["device"], "xattr": ["xattrs"],
    ]
}

extension FileEntry {
    /// The file as the JSON output describes it; members that say nothing are left out.
    package var json: JSONValue {
        var value: JSONValue = ["type": .string(kind.rawValue)]
        if kind != .symbolicLink {
            let digits = String(permissions, radix: 8)
            value["mode"] = .string(String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
        }
        value["uid"] = .integer(Int64(uid))
        value["gid"] = .integer(Int64(gid))
        if kind == .file, let content {
            value["size"] = .integer(size)
            value["digest"] = .string(content.description)
        }
        if kind == .symbolicLink { value["target"] = .string(String(decoding: linkTarget, as: UTF8.self)) }
        if kind.isDevice { value["device"] = .string("\(deviceMajor):\(deviceMinor)") }
        if let attributesJSON { value["xattrs"] = attributesJSON }
        return value
    }

    /// The extended attributes as hexadecimal digits, long ones as digests; `nil` for none.
    var attributesJSON: JSONValue? {
        guard !attributes.isEmpty else { return nil }
        return .object(JSONObject(attributes.mapValues { Self.text($0) }))
    }

    var contentJSON: JSONValue? {
        content.map { ["size": .integer(size), "digest": .string($0.description)] }
    }

    private static func text(_ value: [UInt8]) -> String {
        if value.count > 64 { return "\(Digest(hashing: value))" }
        return value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
