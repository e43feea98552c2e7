internal import CWhittleLinux
package import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#endif

/// An extended attribute of a file.
package struct ExtendedAttribute: Hashable, Sendable {
    /// With its namespace: `security.capability`, `user.mime_type`.
    package let name: String
    package let value: [UInt8]

    package init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// Reads and writes extended attributes. A file system without them has none, and no error says so.
package enum ExtendedAttributes {
    /// All attributes of an open file, sorted by name.
    package static func list(_ descriptor: FileDescriptor) throws(Errno) -> [ExtendedAttribute] {
        try list(
            names: { whittle_list_attributes(descriptor.rawValue, $0, $1) },
            value: { whittle_get_attribute(descriptor.rawValue, $0, $1, $2) })
    }

    /// All attributes of the entry `name` of `directory`, which is not followed if it is a link; sorted by name.
    package static func list(_ name: EntryPath, at directory: FileDescriptor) throws(Errno) -> [ExtendedAttribute] {
        let path = path(of: name, in: directory)
        return try path.withCString { (path) throws(Errno) in
            try list(
                names: { whittle_list_path_attributes(path, $0, $1) },
                value: { whittle_get_path_attribute(path, $0, $1, $2) })
        }
    }

    /// The value of one attribute; `nil` where the file has none of that name.
    package static func get(_ name: String, of descriptor: FileDescriptor) throws(Errno) -> [UInt8]? {
        try value { whittle_get_attribute(descriptor.rawValue, name, $0, $1) }
    }

    /// The value of one attribute of the entry `entry` of `directory`; `nil` where it has none of that name.
    package static func get(
        _ name: String, of entry: EntryPath, at directory: FileDescriptor
    ) throws(Errno) -> [UInt8]? {
        try path(of: entry, in: directory).withCString { (path) throws(Errno) in
            try value { whittle_get_path_attribute(path, name, $0, $1) }
        }
    }

    /// Sets one attribute of an open file.
    package static func set(_ attribute: ExtendedAttribute, on descriptor: FileDescriptor) throws(Errno) {
        _ = try attribute.value.withUnsafeBufferPointer { (value) throws(Errno) in
            try Syscall.retrying {
                whittle_set_attribute(descriptor.rawValue, attribute.name, value.baseAddress, value.count)
            }
        }
    }

    /// Sets one attribute of the entry `name` of `directory`, which is not followed if it is a link.
    package static func set(
        _ attribute: ExtendedAttribute, on name: EntryPath, at directory: FileDescriptor
    ) throws(Errno) {
        try path(of: name, in: directory).withCString { (path) throws(Errno) in
            _ = try attribute.value.withUnsafeBufferPointer { (value) throws(Errno) in
                try Syscall.retrying {
                    whittle_set_path_attribute(path, attribute.name, value.baseAddress, value.count)
                }
            }
        }
    }

    /// Removes one attribute of an open file; none of that name is no error.
    package static func remove(_ name: String, from descriptor: FileDescriptor) throws(Errno) {
        do throws(Errno) {
            _ = try Syscall.retrying { whittle_remove_attribute(descriptor.rawValue, name) }
        } catch {
            guard error.rawValue == ENODATA else { throw error }
        }
    }

    /// The calls on attributes have no form with a directory descriptor; procfs gives it a name.
    private static func path(of name: EntryPath, in directory: FileDescriptor) -> EntryPath {
        EntryPath("/proc/self/fd/\(directory.rawValue)").appending(name)
    }

    private static func list(
        names: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        value: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(Errno) -> [ExtendedAttribute] {
        let size: Int
        do throws(Errno) {
            size = try Syscall.retrying { names(nil, 0) }
        } catch {
            if error == .notSupported { return [] }
            throw error
        }
        // The answer for nearly every file.
        if size == 0 { return [] }
        let bytes = try read { (buffer, room) in names(buffer?.assumingMemoryBound(to: CChar.self), room) }
        var attributes: [ExtendedAttribute] = []
        for part in bytes.split(separator: 0) {
            let name = String(decoding: part, as: UTF8.self)
            // One that vanished since is as good as never there.
            if let found = try self.value({ value(name, $0, $1) }) {
                attributes.append(ExtendedAttribute(name: name, value: found))
            }
        }
        return attributes.sorted { $0.name < $1.name }
    }

    private static func value(_ call: (UnsafeMutableRawPointer?, Int) -> Int) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            return try read(call)
        } catch {
            if error.rawValue == ENODATA || error == .notSupported { return nil }
            throw error
        }
    }

    /// Asks for the size, then for the bytes; again where they grew meanwhile.
    private static func read(_ call: (UnsafeMutableRawPointer?, Int) -> Int) throws(Errno) -> [UInt8] {
        while true {
            let size = try Syscall.retrying { call(nil, 0) }
            if size == 0 { return [] }
            do throws(Errno) {
                var bytes = [UInt8](repeating: 0, count: size)
                let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(Errno) in
                    try Syscall.retrying { call(UnsafeMutableRawPointer(buffer.baseAddress), buffer.count) }
                }
                bytes.removeLast(size - count)
                return bytes
            } catch {
                guard error == .outOfRange else { throw error }
            }
        }
    }
}
