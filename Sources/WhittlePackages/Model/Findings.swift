/// What one file says of packages.
package struct Findings: Hashable, Sendable {
    package var packages: [Package]
    package var distribution: Distribution?
    /// What could not be read in it, each the end of a sentence: `its entry 3 has no version`.
    package var problems: [String]

    package init(_ packages: [Package] = [], distribution: Distribution? = nil, problems: [String] = []) {
        self.packages = packages
        self.distribution = distribution
        self.problems = problems
    }

    /// Nothing but a problem.
    static func problem(_ text: String) -> Findings { Findings(problems: [text]) }

    package var isEmpty: Bool { packages.isEmpty && distribution == nil && problems.isEmpty }
}
