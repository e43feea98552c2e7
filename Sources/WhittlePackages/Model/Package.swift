/// A piece of software that an image has: a package of its distribution, or a module of a language.
package struct Package: Hashable, Sendable {
    package var kind: PackageKind
    /// In front of the name: the group of a Maven artifact, the scope of npm (`@babel`), the path before the last part of a
    /// Go module; empty where there is none.
    package var namespace: String
    package var name: String
    /// Empty where nothing says it.
    package var version: String
    /// Of a package of a distribution, in its own words (`amd64`, `x86_64`, `all`); empty for all else.
    package var architecture: String
    /// The source package it was built from; `nil` where it is not said.
    package var source: Source?
    /// Of an RPM package; `nil` for none.
    package var epoch: UInt32?
    /// The licence in the words of the package; empty where nothing says it.
    package var license: String
    /// Who makes or keeps it, with an address in angle brackets where there is one; empty where nothing says it.
    package var supplier: String
    package var homepage: String
    /// The files of the image that say so, from the root with a leading slash, sorted; those in an archive with `!` between.
    package var locations: [String]

    /// A source package.
    package struct Source: Hashable, Sendable {
        package var name: String
        /// Empty where it is that of the package.
        package var version: String

        package init(name: String, version: String = "") {
            self.name = name
            self.version = version
        }
    }

    package init(
        _ kind: PackageKind, namespace: String = "", name: String, version: String, architecture: String = "",
        source: Source? = nil, epoch: UInt32? = nil, license: String = "", supplier: String = "", homepage: String = "",
        locations: [String] = []
    ) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.version = version
        self.architecture = architecture
        self.source = source
        self.epoch = epoch
        self.license = license
        self.supplier = supplier
        self.homepage = homepage
        self.locations = locations
    }

    /// The name as its users write it: `@babel/core`, `org.slf4j:slf4j-api`, `golang.org/x/net`.
    package var fullName: String {
        if namespace.isEmpty { return name }
        return namespace + (kind == .maven ? ":" : "/") + name
    }

    /// The version as its users write it: with the epoch of an RPM package.
    package var fullVersion: String { epoch.map { $0 > 0 ? "\($0):\(version)" : version } ?? version }
}

/// The manager or language that a package belongs to. The raw value is the type of its package URL.
package enum PackageKind: String, Hashable, Sendable, CaseIterable, Comparable {
    case deb
    case apk
    case rpm
    case golang
    case maven
    case npm
    case pypi
    case cargo
    /// A Java archive that does not say its group.
    case generic

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Whether it is a package of the image's distribution.
    package var isOfDistribution: Bool {
        switch self {
        case .deb, .apk, .rpm: true
        case .golang, .maven, .npm, .pypi, .cargo, .generic: false
        }
    }
}
