internal import WhittlePackages

/// The packages of an image for people.
enum PackageTable {
    static func text(_ list: PackageList) -> String {
        var table = TextTable(["NAME", "VERSION", "TYPE", "LICENSE", "FOUND IN"])
        for package in list.packages {
            let places = package.locations
            let more = places.count > 1 ? " (+\(places.count - 1))" : ""
            table.add([
                plain(package.fullName), plain(package.fullVersion), package.kind.rawValue,
                plain(String(package.license.prefix(40))),
                plain((places.first ?? "") + more),
            ])
        }
        return table.text
    }

    /// Whatever a package says of itself, it is no escape sequence of the terminal.
    private static func plain(_ text: String) -> String { DisplayText.plain(text.utf8) }
}
