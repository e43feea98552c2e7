/// A licence as a package says it, told whether it is one that SPDX knows.
///
/// Format: SPDX 2.3, annex D. Operators are taken in upper case only, as the annex has them.
package enum LicenseExpression: Hashable, Sendable {
    /// One licence of the SPDX list.
    case identifier(String)
    /// Several, or one with an exception.
    case expression(String)
    /// Anything else that a package says.
    case text(String)

    /// `nil` for an empty text.
    package init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        if Self.isKnown(text) {
            self = .identifier(text)
        } else if Self.isExpression(text) {
            self = .expression(text)
        } else {
            self = .text(text)
        }
    }

    private static func isExpression(_ text: String) -> Bool {
        var words: [Substring] = []
        for word in text.replacing("(", with: " ( ").replacing(")", with: " ) ").split(whereSeparator: \.isWhitespace) {
            words.append(word)
            if words.count > 200 { return false }
        }
        var parser = Parser(words: words[...])
        return parser.alternatives(depth: 0) && parser.words.isEmpty
    }

    private struct Parser {
        var words: ArraySlice<Substring>

        mutating func alternatives(depth: Int) -> Bool {
            guard depth < 20, term(depth) else { return false }
            while let word = words.first, word == "AND" || word == "OR" {
                words.removeFirst()
                guard term(depth) else { return false }
            }
            return true
        }

        private mutating func term(_ depth: Int) -> Bool {
            guard let word = words.popFirst() else { return false }
            if word == "(" { return alternatives(depth: depth + 1) && words.popFirst() == ")" }
            guard LicenseExpression.isKnown(String(word)) else { return false }
            guard words.first == "WITH" else { return true }
            words.removeFirst()
            return words.popFirst().map { LicenseExpression.exceptions.contains(String($0)) } ?? false
        }
    }

    static func isKnown(_ text: String) -> Bool {
        known.contains(text) || text.hasSuffix("+") && plus.contains(String(text.dropLast()))
    }

    /// Those that may have a `+` behind them: the versions of their own before SPDX 3.0 had names for later ones.
    private static let plus: Set<String> = [
        "AFL-2.1", "AFL-3.0", "Apache-2.0", "Artistic-1.0", "Artistic-2.0", "CDDL-1.0", "EPL-1.0", "EPL-2.0", "GPL-1.0",
        "GPL-2.0", "GPL-3.0", "LGPL-2.0", "LGPL-2.1", "LGPL-3.0", "MPL-1.1", "MPL-2.0",
    ]

    private static let exceptions: Set<String> = [
        "Autoconf-exception-2.0", "Autoconf-exception-3.0", "Bison-exception-2.2", "Bootloader-exception",
        "Classpath-exception-2.0", "Font-exception-2.0", "GCC-exception-2.0", "GCC-exception-3.1", "LLVM-exception",
        "Libtool-exception", "Linux-syscall-note", "OCaml-LGPL-linking-exception", "OpenJDK-assembly-exception-1.0",
        "Qt-GPL-exception-1.0", "Qt-LGPL-exception-1.1", "WxWindows-exception-3.1", "openvpn-openssl-exception",
        "x11vnc-openssl-exception",
    ]

    /// Of the SPDX licence list 3.25 those that packages of distributions and languages have.
    private static let known: Set<String> = [
        "0BSD", "AFL-2.0", "AFL-2.1", "AFL-3.0", "AGPL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "APSL-2.0",
        "Apache-1.0", "Apache-1.1", "Apache-2.0", "Artistic-1.0", "Artistic-1.0-Perl", "Artistic-1.0-cl8",
        "Artistic-2.0",
        "BSD-1-Clause", "BSD-2-Clause", "BSD-2-Clause-Patent", "BSD-2-Clause-Views", "BSD-3-Clause",
        "BSD-3-Clause-Clear", "BSD-3-Clause-LBNL", "BSD-4-Clause", "BSD-4-Clause-UC", "BSD-Source-Code", "BSL-1.0",
        "BitTorrent-1.1", "BlueOak-1.0.0", "Bitstream-Vera", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0",
        "CC0-1.0", "CDDL-1.0", "CDDL-1.1", "CECILL-2.1", "CECILL-B", "CECILL-C", "CNRI-Python", "CPL-1.0", "ClArtistic",
        "ECL-2.0", "EFL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "FSFAP", "FSFUL", "FSFULLR", "FTL",
        "GFDL-1.1-only", "GFDL-1.1-or-later", "GFDL-1.2-only", "GFDL-1.2-or-later", "GFDL-1.3", "GFDL-1.3-only",
        "GFDL-1.3-or-later", "GPL-1.0", "GPL-1.0-only", "GPL-1.0-or-later", "GPL-2.0", "GPL-2.0-only",
        "GPL-2.0-or-later", "GPL-3.0", "GPL-3.0-only", "GPL-3.0-or-later", "HPND", "HPND-sell-variant", "ICU", "IJG",
        "IPA", "IPL-1.0", "ISC", "ImageMagick", "Info-ZIP", "JSON", "JasPer-2.0", "LGPL-2.0", "LGPL-2.0-only",
        "LGPL-2.0-or-later", "LGPL-2.1", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0", "LGPL-3.0-only",
        "LGPL-3.0-or-later", "LPPL-1.3c", "Libpng", "MIT", "MIT-0", "MIT-CMU", "MIT-Modern-Variant", "MIT-open-group",
        "MPL-1.0", "MPL-1.1", "MPL-2.0", "MPL-2.0-no-copyleft-exception", "MS-PL", "MirOS", "NAIST-2003", "NCSA",
        "NPL-1.1",
        "NTP", "NetCDF", "OFL-1.0", "OFL-1.1", "OLDAP-2.8", "OML", "OpenSSL", "PHP-3.0", "PHP-3.01", "PSF-2.0",
        "PostgreSQL",
        "Python-2.0", "Python-2.0.1", "QPL-1.0", "Ruby", "SGI-B-2.0", "SISSL", "SMLNJ", "SSH-OpenSSH", "SSH-short",
        "SSPL-1.0", "Sleepycat", "Spencer-86", "TCL", "TCP-wrappers", "TU-Berlin-2.0", "UPL-1.0", "Unicode-3.0",
        "Unicode-DFS-2015", "Unicode-DFS-2016", "Unlicense", "Vim", "W3C", "W3C-19980720", "WTFPL", "X11",
        "XFree86-1.1",
        "ZPL-2.1", "Zend-2.0", "Zlib", "blessing", "bzip2-1.0.6", "curl", "eGenix", "libpng-2.0", "libtiff", "mpich2",
        "psutils", "zlib-acknowledgement",
    ]
}
