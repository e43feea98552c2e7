public import WhittleCore
internal import WhittleHTTP
package import WhittleOCI

/// What somebody says of an image: where it comes from, or what is in it.
///
/// Format: in-toto Attestation Framework, Statement v1. The subject, the image's manifest, is known only when the image
/// is written; so this is the rest of the statement.
public struct Attestation: Hashable, Sendable {
    /// What kind of a predicate it is, a URI: `https://slsa.dev/provenance/v1`, `https://spdx.dev/Document`.
    public var predicateType: String
    /// One JSON value, which goes into the statement byte for byte.
    public var predicate: [UInt8]

    public init(predicateType: String, predicate: [UInt8]) {
        self.predicateType = predicateType
        self.predicate = predicate
    }
}

/// What an attestation is about: a name and a digest.
public struct AttestationSubject: Hashable, Sendable {
    public var name: String
    public var digest: Digest

    public init(name: String, digest: Digest) {
        self.name = name
        self.digest = digest
    }

    /// An image under one of its names, as BuildKit calls it: `pkg:docker/app@1?platform=linux%2Famd64`.
    package init(_ image: ImageReference, platform: Platform, digest: Digest) {
        let repository = image.familiarRepository.split(separator: "/").map { WebAddress.encode(String($0)) }
        let tag = image.tag.map { "@" + $0 } ?? ""
        self.init(
            name: "pkg:docker/\(repository.joined(separator: "/"))\(tag)?platform="
                + WebAddress.encode(platform.description),
            digest: digest)
    }

    fileprivate var json: JSONValue {
        ["name": .string(name), "digest": ["sha256": .string(digest.hex)]]
    }
}

extension Attestation {
    /// The statement with these subjects.
    package func statement(about subjects: [AttestationSubject]) -> [UInt8] {
        let head: JSONValue = [
            "_type": "https://in-toto.io/Statement/v1", "predicateType": .string(predicateType),
            "subject": .array(subjects.map(\.json)),
        ]
        return head.encoded(as: .compact).dropLast() + Array(#","predicate":"#.utf8) + predicate + [UInt8(ascii: "}")]
    }
}
