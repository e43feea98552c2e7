internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem

/// What a layer says of one entry of an overlayfs upper directory.
struct LayerEntry {
    private(set) var header: TarEntry
    /// A deletion: a character device 0:0, or (overlayfs inside overlayfs) an empty file with an attribute.
    private(set) var isWhiteout = false
    /// A directory that hides everything below it in lower layers.
    private(set) var isOpaque = false
    /// A regular file with contents, open for reading.
    private(set) var file: SharedDescriptor?

    init(_ entry: TreeWalk.Entry, _ times: TimeRule?) throws(Errno) {
        let status = entry.status
        var modified = Timestamp(seconds: status.modified.seconds)
        if let times { modified = times.apply(to: modified) }
        header = TarEntry(
            path: entry.path.bytes, kind: Self.kind(of: status), permissions: UInt16(status.permissions),
            uid: status.owner.uid, gid: status.owner.gid, modified: modified)
        switch header.kind {
        case .regular:
            header.size = status.size
            if status.size > 0 {
                let file = SharedDescriptor(try entry.open())
                take(try ExtendedAttributes.list(file.descriptor))
                self.file = file
            } else {
                take(try entry.extendedAttributes())
            }
        case .directory: take(try entry.extendedAttributes())
        case .symbolicLink: header.linkTarget = try entry.linkTarget().bytes
        case .characterDevice, .blockDevice:
            isWhiteout = header.kind == .characterDevice && status.specialDevice == 0
            let device = DeviceNumber(packed: status.specialDevice)
            header.deviceMajor = device.major
            header.deviceMinor = device.minor
        // Linux gives the attributes that a layer keeps to files and directories only.
        case .fifo, .hardLink: break
        }
    }

    /// Keeps attributes that belong to a file wherever it is, and understands overlayfs's marks.
    private mutating func take(_ attributes: [ExtendedAttribute]) {
        for attribute in attributes {
            switch attribute.name {
            case "trusted.overlay.opaque", "user.overlay.opaque":
                // Another value is a mark of other things.
                if header.kind == .directory, attribute.value.elementsEqual("y".utf8) { isOpaque = true }
            case "trusted.overlay.whiteout", "user.overlay.whiteout":
                if header.kind == .regular, header.size == 0 { isWhiteout = true }
            case DevicePlaceholder.attributeName:
                if header.kind == .regular, header.size == 0 {
                    DevicePlaceholder.restore(&header, from: attribute.value)
                }
            case let name where LayerMetadata.isKept(name): header.attributes[name] = attribute.value
            default: break
            }
        }
    }

    private static func kind(of status: FileStatus) -> TarEntry.Kind {
        switch status.kind {
        case .directory: .directory
        case .symbolicLink: .symbolicLink
        case .characterDevice: .characterDevice
        case .blockDevice: .blockDevice
        case .fifo: .fifo
        case .regular, .socket, .unknown: .regular
        }
    }
}
