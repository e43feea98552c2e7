internal import WhittleCore
internal import WhittleOCI

/// Compares two images in meaning.
///
/// What stands for the same is the same: no list and an empty one, no working directory and `/`, the default shell written
/// out and left out, a member that is missing and one that is zero.
package struct ImageComparison {
    let left: ImageContents
    let right: ImageContents
    let ignored: IgnoredFields
    private(set) var differences: [Difference] = []

    /// All differences, in the order of sections.
    ///
    /// A directory has no configuration, history and layers: where one side is a directory, only files are compared.
    package static func differences(
        _ left: ImageContents, _ right: ImageContents, ignoring ignored: IgnoredFields
    ) -> [Difference] {
        var comparison = ImageComparison(left: left, right: right, ignored: ignored)
        if let a = left.image, let b = right.image {
            if ignored.sections.contains(.config) { comparison.compareConfigurations(a, b) }
            if ignored.sections.contains(.history) {
                comparison.compareHistories(a.configuration.history, b.configuration.history)
            }
            if ignored.sections.contains(.layers) { comparison.compareLayers(a.layers, b.layers) }
        }
        if ignored.sections.contains(.files) { comparison.compareFiles(left.tree, right.tree) }
        return comparison.differences
    }

    private init(left: ImageContents, right: ImageContents, ignored: IgnoredFields) {
        self.left = left
        self.right = right
        self.ignored = ignored
    }

    /// Notes a difference where the two values of a field are not equal.
    mutating func compare(_ field: Difference.Field, _ left: JSONValue?, _ right: JSONValue?) {
        compare(field, nil, left, right)
    }

    /// Notes a difference where the two values of one thing of a field are not equal.
    mutating func compare(
        _ field: Difference.Field, _ subject: String?, _ left: JSONValue?, _ right: JSONValue?
    ) {
        guard left != right else { return }
        if let subject {
            guard !ignored.contains(field, subject) else { return }
        } else {
            guard !ignored.contains(field) else { return }
        }
        differences.append(Difference(field, subject, left, right))
    }

    /// Which elements of two lists stand for each other: equal ones at the start and at the end, and between them one
    /// after the other. `nil` where a list has no more.
    static func paired<Element>(
        _ left: [Element], _ right: [Element], isEqual: (Element, Element) -> Bool
    ) -> [(left: Int?, right: Int?)] {
        let shorter = min(left.count, right.count)
        var start = 0
        while start < shorter, isEqual(left[start], right[start]) { start += 1 }
        var end = 0
        while end < shorter - start, isEqual(left[left.count - 1 - end], right[right.count - 1 - end]) { end += 1 }
        let (a, b) = (left.count - end, right.count - end)
        var pairs: [(left: Int?, right: Int?)] = (0..<start).map { ($0, $0) }
        for index in start..<max(a, b, start) {
            pairs.append((index < a ? index : nil, index < b ? index : nil))
        }
        for index in 0..<end { pairs.append((a + index, b + index)) }
        return pairs
    }
}

extension ImageComparison {
    mutating func compareHistories(_ left: [HistoryEntry], _ right: [HistoryEntry]) {
        let pairs = Self.paired(left, right) { a, b in
            a.createdBy == b.createdBy && a.isEmptyLayer == b.isEmptyLayer && a.comment ?? "" == b.comment ?? ""
        }
        for pair in pairs {
            let subject = "\((pair.right ?? pair.left ?? 0) + 1)"
            guard let a = pair.left.map({ left[$0] }), let b = pair.right.map({ right[$0] }) else {
                compare(
                    .init(.history, "step"), subject, pair.left.map { .string(left[$0].createdBy ?? "") },
                    pair.right.map { .string(right[$0].createdBy ?? "") })
                continue
            }
            func text(_ text: String?) -> JSONValue? { text.flatMap { $0.isEmpty ? nil : .string($0) } }
            compare(.init(.history, "created_by"), subject, text(a.createdBy), text(b.createdBy))
            compare(.init(.history, "empty_layer"), subject, .bool(a.isEmptyLayer), .bool(b.isEmptyLayer))
            compare(.init(.history, "comment"), subject, text(a.comment), text(b.comment))
            compare(.init(.history, "author"), subject, text(a.author), text(b.author))
            compare(.init(.history, "created"), subject, text(a.created?.rfc3339), text(b.created?.rfc3339))
        }
    }
}
