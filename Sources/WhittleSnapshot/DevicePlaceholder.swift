internal import WhittleArchive
internal import WhittleFileSystem

/// What stands for a device node in a snapshot whose owner may make none: an empty file that says which one it is.
///
/// So a layer with devices is written again as it came. Containers get their devices from the runtime.
/// Format: the attribute `user.whittle.device`, `c` or `b`, then the major and the minor number, with colons between:
/// `c:1:3`.
enum DevicePlaceholder {
    static let attributeName = "user.whittle.device"

    static func attribute(for entry: TarEntry) -> ExtendedAttribute {
        let kind = entry.kind == .blockDevice ? "b" : "c"
        return ExtendedAttribute(
            name: attributeName, value: Array("\(kind):\(entry.deviceMajor):\(entry.deviceMinor)".utf8))
    }

    /// Makes `entry`, that of an empty file, the device's; nothing happens where `value` is no such text.
    static func restore(_ entry: inout TarEntry, from value: [UInt8]) {
        let parts = String(decoding: value, as: UTF8.self).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let major = UInt32(parts[1]), let minor = UInt32(parts[2]) else { return }
        switch parts[0] {
        case "b": entry.kind = .blockDevice
        case "c": entry.kind = .characterDevice
        default: return
        }
        entry.deviceMajor = major
        entry.deviceMinor = minor
    }
}
