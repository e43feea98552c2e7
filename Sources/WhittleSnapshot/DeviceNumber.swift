/// A device number as Linux packs it for user space: minor bits 0–7 and 12–31 of the low word, major in between and above
/// (glibc `sys/sysmacros.h`).
package struct DeviceNumber {
    package let major: UInt32
    package let minor: UInt32

    init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    package init(packed: UInt64) {
        major = UInt32((packed >> 8) & 0xfff) | UInt32((packed >> 32) & 0xffff_f000)
        minor = UInt32(packed & 0xff) | UInt32((packed >> 12) & 0xffff_ff00)
    }

    var packed: UInt64 {
        let major = UInt64(major)
        let minor = UInt64(minor)
        return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xffff_ff00) << 12) | ((major & 0xffff_f000) << 32)
    }
}
