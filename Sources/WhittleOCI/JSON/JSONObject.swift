/// The members of a JSON object, in the order in which they were read or added.
///
/// Keys are equal when their UTF-8 bytes are; Swift's `==` would call `é` in one and in two code points the same key.
/// Two objects are equal when they have the same members in any order.
public struct JSONObject: Sendable {
    /// One key with its value.
    public struct Member: Hashable, Sendable {
        public let key: String
        public fileprivate(set) var value: JSONValue
    }

    /// The members in order.
    public private(set) var members: [Member] = []
    /// Where each key stands in `members`; kept only above ``indexedFrom`` members, below that a search is faster.
    private var positions: [ByteKey: Int] = [:]
    private static let indexedFrom = 16

    public init() {}

    /// An object with the strings of `dictionary`, sorted by key.
    public init(_ dictionary: [String: String]) {
        for (key, value) in dictionary.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            self[key] = .string(value)
        }
    }

    public var isEmpty: Bool { members.isEmpty }
    public var count: Int { members.count }
    /// The keys in order.
    public var keys: [String] { members.map { $0.key } }

    /// The value of `key`. Writing a new key appends it, writing `nil` removes it.
    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                reindex()
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    /// Appends a member unless its key is taken; returns whether it did.
    mutating func appendNew(_ key: String, _ value: JSONValue) -> Bool {
        guard position(of: key) == nil else { return false }
        append(key, value)
        return true
    }

    private func position(of key: String) -> Int? {
        if members.count >= Self.indexedFrom { return positions[ByteKey(text: key)] }
        return members.firstIndex { ByteKey.equal($0.key, key) }
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
        if members.count == Self.indexedFrom {
            reindex()
        } else if members.count > Self.indexedFrom {
            positions[ByteKey(text: key)] = members.count - 1
        }
    }

    private mutating func reindex() {
        positions.removeAll()
        guard members.count >= Self.indexedFrom else { return }
        for (position, member) in members.enumerated() { positions[ByteKey(text: member.key)] = position }
    }

    /// A key that is equal to another when their bytes are.
    private struct ByteKey: Hashable {
        let text: String

        static func equal(_ left: String, _ right: String) -> Bool {
            left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
        }

        static func == (left: ByteKey, right: ByteKey) -> Bool { equal(left.text, right.text) }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        return left.members.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        // Order must not count: a sum of the members' hashes does not depend on it.
        hasher.combine(members.reduce(into: 0) { $0 &+= $1.hashValue })
    }
}
