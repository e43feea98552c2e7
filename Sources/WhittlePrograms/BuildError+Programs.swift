package import WhittleCore

extension BuildError.Code {
    /// A program that the build needs is not installed.
    static let programMissing = Self(rawValue: "program-missing")
}

extension BuildError {
    /// - Parameters:
    ///   - package: of Debian, which has the program.
    ///   - purpose: what is being done.
    package static func programMissing(_ name: String, package: String, for purpose: String) -> BuildError {
        BuildError(
            .programMissing, "\(purpose): there is no program '\(name)' on the PATH",
            hint: "install it (apt install \(package))")
    }
}
