/// An operating system and processor that an image runs on.
///
/// Format: image-spec v1.1, `image-index.md`, "platform"; normalised as containerd and docker do (`x86_64` is `amd64`,
/// `aarch64` is `arm64` whose variant `v8` is implied, `armhf` is `arm` `v7`).
public struct Platform: Hashable, Sendable {
    public let os: String
    public let architecture: String
    /// Empty where the architecture has no variant.
    public let variant: String
    /// Windows only; empty otherwise.
    public let osVersion: String

    public init(os: String, architecture: String, variant: String = "", osVersion: String = "") {
        let normal = Self.normalise(architecture: architecture.lowercased(), variant: variant.lowercased())
        self.os = Self.normalise(os: os.lowercased())
        self.architecture = normal.architecture
        self.variant = normal.variant
        self.osVersion = osVersion
    }

    /// Reads `OS/ARCH[/VARIANT]`, `ARCH` or `OS` alone as docker does; what is missing comes from `base`.
    ///
    /// `nil` for an empty text, for an empty part, for more than three parts and for characters outside `[A-Za-z0-9_.-]`.
    public init?(parsing text: some StringProtocol, default base: Platform = .host) {
        let parts = String(text).split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        let isPlain: (String) -> Bool = { part in
            !part.isEmpty && part.utf8.allSatisfy { Self.isPartCharacter($0) }
        }
        guard (1...3).contains(parts.count), parts.allSatisfy(isPlain) else { return nil }
        if parts.count == 1 {
            if Self.knownSystems.contains(Self.normalise(os: parts[0].lowercased())) {
                self.init(os: parts[0], architecture: base.architecture, variant: base.variant)
            } else {
                let normal = Self.normalise(architecture: parts[0].lowercased(), variant: "")
                guard Self.knownArchitectures.contains(normal.architecture) else { return nil }
                self.init(
                    os: base.os, architecture: parts[0], variant: parts[0].lowercased() == "arm" ? "v7" : "")
            }
            return
        }
        // A person who says arm means the usual one. Documents that leave the variant out are left as they are.
        let isPlainArm = parts.count == 2 && parts[1].lowercased() == "arm"
        self.init(os: parts[0], architecture: parts[1], variant: isPlainArm ? "v7" : parts.count == 3 ? parts[2] : "")
    }

    /// The machine this program was compiled for, as a Linux container platform.
    public static var host: Platform {
        #if arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #elseif arch(s390x)
            Platform(os: "linux", architecture: "s390x")
        #elseif arch(powerpc64le)
            Platform(os: "linux", architecture: "ppc64le")
        #elseif arch(riscv64)
            Platform(os: "linux", architecture: "riscv64")
        #else
            Platform(os: "linux", architecture: "unknown")
        #endif
    }

    /// Whether an image for this platform satisfies a request for `wanted`: same system and architecture, and the same
    /// variant, where an absent one stands for the architecture's default (`v7` for arm).
    public func satisfies(_ wanted: Platform) -> Bool {
        os == wanted.os && architecture == wanted.architecture && effectiveVariant == wanted.effectiveVariant
    }

    private var effectiveVariant: String {
        switch (architecture, variant) {
        case ("arm", ""): "v7"
        default: variant
        }
    }

    private static let knownSystems: Set<String> = [
        "linux", "windows", "darwin", "freebsd", "wasip1", "wasi", "netbsd", "openbsd", "android",
    ]
    private static let knownArchitectures: Set<String> = [
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
        "riscv64", "s390x", "wasm",
    ]

    private static func isPartCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func normalise(os: String) -> String { os == "macos" ? "darwin" : os }

    private static func normalise(architecture: String, variant: String) -> (architecture: String, variant: String) {
        switch architecture {
        case "x86_64", "x86-64", "amd64": ("amd64", variant == "v1" ? "" : variant)
        case "i386", "386": ("386", "")
        case "aarch64", "arm64": ("arm64", variant == "8" || variant == "v8" ? "" : variant)
        case "armhf": ("arm", "v7")
        case "armel": ("arm", "v6")
        case "arm":
            ("arm", ["5", "6", "7", "8"].contains(variant) ? "v" + variant : variant)
        default: (architecture, variant)
        }
    }
}

extension Platform: CustomStringConvertible {
    /// `OS/ARCH[/VARIANT]`.
    public var description: String {
        variant.isEmpty ? "\(os)/\(architecture)" : "\(os)/\(architecture)/\(variant)"
    }
}
