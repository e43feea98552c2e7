package import WhittleCore
package import WhittleOCI

/// The package URL of a package.
///
/// Format: purl-spec 1.0, `PURL-SPECIFICATION.rst` and its types. Go module paths keep their case, as the tools that look
/// for vulnerabilities expect them.
package enum PackageURL {
    /// `pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS`.
    ///
    /// - Parameter distribution: the namespace and the `distro` of packages of a distribution.
    package static func text(_ package: Package, on distribution: Distribution?) -> String {
        var namespace = package.namespace
        var name = package.name
        var qualifiers: [(key: String, value: String)] = []
        if package.kind.isOfDistribution {
            namespace = distribution?.packageNamespace(for: package.kind) ?? ""
            qualifiers.append(("arch", package.architecture))
            qualifiers.append(("distro", distribution?.label ?? ""))
            if let epoch = package.epoch, epoch > 0 { qualifiers.append(("epoch", "\(epoch)")) }
            if let source = package.source {
                let differs = source.name != package.name || !source.version.isEmpty
                let version = source.version.isEmpty ? "" : "@" + source.version
                qualifiers.append(("upstream", differs ? source.name + version : ""))
            }
        }
        if package.kind == .pypi { name = PythonPackages.normalised(name) }
        return text(
            type: package.kind.rawValue, namespace: namespace, name: name, version: package.version,
            qualifiers: qualifiers)
    }

    /// The package URL of an image, as BuildKit has it: `pkg:docker/REPOSITORY@TAG?digest=…&platform=…`, without the registry
    /// and `library/` where they are Docker's own.
    ///
    /// - Parameter isLocal: whether it is from a layout on disk: `pkg:oci/…`.
    package static func text(
        of image: ImageReference, digest: Digest? = nil, platform: Platform?, isLocal: Bool = false
    ) -> String {
        let parts = image.familiarRepository.split(separator: "/")
        return text(
            type: isLocal ? "oci" : "docker", namespace: parts.dropLast().joined(separator: "/"),
            name: parts.last.map(String.init) ?? "", version: image.tag ?? "",
            qualifiers: [
                ("digest", (digest ?? image.digest)?.description ?? ""), ("platform", platform?.description ?? ""),
            ])
    }

    static func text(
        type: String, namespace: String, name: String, version: String, qualifiers: [(key: String, value: String)] = []
    ) -> String {
        var text = "pkg:" + type
        for part in namespace.split(separator: "/") { text += "/" + encoded(part) }
        text += "/" + encoded(name)
        if !version.isEmpty { text += "@" + encoded(version) }
        let given = qualifiers.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        if !given.isEmpty { text += "?" + given.map { "\($0.key)=\(encoded($0.value))" }.joined(separator: "&") }
        return text
    }

    /// Percent-encoded but for unreserved characters and `:`.
    private static func encoded(_ text: some StringProtocol) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: ":"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }
}
