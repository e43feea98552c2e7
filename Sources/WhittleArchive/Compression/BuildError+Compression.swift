package import WhittleCore

extension BuildError.Code {
    /// A compression library failed.
    static let compression = Self(rawValue: "compression")
    /// Compressed data is damaged or cut short.
    package static let malformedCompression = Self(rawValue: "malformed-compression")
    /// Compressed data becomes larger than is allowed.
    static let decompressionLimit = Self(rawValue: "decompression-limit")
}

extension BuildError {
    static func compression(_ problem: String) -> BuildError { BuildError(.compression, "compressing: \(problem)") }

    static func compressionLevel(_ level: Int, of format: String, _ levels: ClosedRange<Int>) -> BuildError {
        BuildError(
            .compression, "compressing: \(format) has no level \(level)",
            hint: "its levels are \(levels.lowerBound) to \(levels.upperBound)")
    }

    static func malformedCompression(_ format: String, _ problem: String) -> BuildError {
        BuildError(
            .malformedCompression, "decompressing \(format) data: \(problem)",
            hint: "the data is damaged or was cut short; make or fetch it again")
    }

    static func decompressionLimit(_ format: String, _ limit: Int64) -> BuildError {
        BuildError(
            .decompressionLimit, "decompressing \(format) data: it becomes larger than the limit of \(ByteCount(limit))"
        )
    }
}
