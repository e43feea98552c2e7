internal import CWhittleLinux
internal import SystemPackage
package import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

extension Mount {
    /// The most lower directories that the kernel takes.
    package static let overlayLowerLimit = 500

    /// Mounts `lower` directories, with `upper` over them, as one writable tree.
    ///
    /// `upper` is then exactly the difference: redirects, metadata-only copies and the index are off, because a layer
    /// must not hold any of them. The mount is `volatile` where the kernel knows that (5.10): unmounting does not write
    /// back the whole file system; a caller who needs the files to survive a crash of the machine syncs them.
    ///
    /// Device nodes cannot be opened here: anybody may put the machine's disk into an image. (An OCI runtime mounts the
    /// root of a container anew, without that.)
    ///
    /// - Parameters:
    ///   - lower: top first, at most ``overlayLowerLimit``. Where empty, `upper` itself is shown at `target`.
    ///   - work: an empty directory on the file system of `upper`, not used by any mount before.
    package static func overlay(
        lower: [String], upper: String, work: String, at target: String
    ) throws(BuildError) {
        if lower.isEmpty { return try bind(upper, at: target, isRecursive: false) }
        try mountOverlay(OverlayParts(lower: lower, upper: upper, work: work), at: target)
    }

    /// Mounts `lower` directories, top first, as one tree that cannot be written. Not empty, at most
    /// ``overlayLowerLimit``.
    package static func readOnlyOverlay(_ lower: [String], at target: String) throws(BuildError) {
        // The kernel wants two directories at least.
        if lower.count == 1 { return try bind(lower[0], at: target, isReadOnly: true, isRecursive: false) }
        try mountOverlay(OverlayParts(lower: lower, upper: nil, work: nil), at: target)
    }

    /// Whether overlayfs keeps its marks (opaque directories) in `user.overlay.` attributes: in a user namespace, where
    /// `trusted.` ones cannot be set.
    package static let usesUserAttributes: Bool = {
        // The identity map of the initial namespace is the only one of 2^32 - 1 ids.
        let map = try? FileReading.bytes(ofFileAt: "/proc/self/uid_map", limit: 4096)
        guard let map else { return false }  // without procfs nothing can be told
        let fields = String(decoding: map, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        return fields.prefix(3) != ["0", "0", "4294967295"]
    }()

    private static func mountOverlay(_ parts: OverlayParts, at target: String) throws(BuildError) {
        guard parts.lower.count <= overlayLowerLimit else {
            throw BuildError(
                .mount,
                "cannot mount \(parts.lower.count) layers at '\(BuildError.printable(target))': "
                    + "overlayfs takes at most \(overlayLowerLimit)",
                hint: "join RUN instructions, or start from a base image with fewer layers")
        }
        var log: String?
        do throws(Errno) {
            if try mountByContext(parts, at: target, log: &log) { return }
            guard let options = parts.optionString else { throw Errno(rawValue: E2BIG) }
            _ = try Syscall.retrying {
                let flags = UInt64(MS_NODEV) | (parts.isReadOnly ? UInt64(MS_RDONLY) : 0)
                return whittle_mount("overlay", target, "overlay", flags, options)
            }
        } catch {
            throw failure("an overlay of \(parts.lower.count) layers", at: target, error, log: log)
        }
    }

    /// Mounts with fsopen(2), which has no limit on the length of options. `false` where the kernel lacks those calls, or
    /// the option `lowerdir+` (Linux 6.5).
    private static func mountByContext(
        _ parts: OverlayParts, at target: String, log: inout String?
    ) throws(Errno) -> Bool {
        let context: OwnedDescriptor
        do throws(Errno) {
            let raw = try Syscall.retrying { whittle_fsopen("overlay") }
            context = OwnedDescriptor(owning: FileDescriptor(rawValue: raw))
        } catch {
            if error == .noFunction { return false }
            throw error
        }
        return try context.withDescriptor { (context) throws(Errno) in
            do throws(Errno) {
                guard try configure(context, parts) else { return false }
                let attributes = UInt32(noDeviceAttribute | (parts.isReadOnly ? readOnlyAttribute : 0))
                _ = try Syscall.retrying { whittle_fsconfig_create(context.rawValue) }
                let mount = try Syscall.retrying { whittle_fsmount(context.rawValue, attributes) }
                let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: mount))
                try owned.withDescriptor { (mount) throws(Errno) in
                    _ = try Syscall.retrying { whittle_move_mount(mount.rawValue, target) }
                }
                return true
            } catch {
                log = messages(of: context)
                throw error
            }
        }
    }

    private static func configure(_ context: FileDescriptor, _ parts: OverlayParts) throws(Errno) -> Bool {
        func set(_ key: String, _ value: String) throws(Errno) {
            _ = try Syscall.retrying { whittle_fsconfig_string(context.rawValue, key, value) }
        }
        _ = try Syscall.retrying { whittle_fsconfig_string(context.rawValue, "source", "overlay") }
        for (index, directory) in parts.lower.enumerated() {
            do throws(Errno) {
                try set("lowerdir+", directory)
            } catch {
                if index == 0, error == .invalidArgument { return false }
                throw error
            }
        }
        if let upper = parts.upper, let work = parts.work {
            // Unlike `lowerdir+`, these are unescaped by the kernel.
            try set("upperdir", OverlayParts.escaped(upper, [0x5c]))
            try set("workdir", OverlayParts.escaped(work, [0x5c]))
        }
        for (key, value) in OverlayParts.settings(isReadOnly: parts.isReadOnly) {
            do throws(Errno) {
                if value.isEmpty {
                    _ = try Syscall.retrying { whittle_fsconfig_flag(context.rawValue, key) }
                } else {
                    try set(key, value)
                }
            } catch {
                // A kernel that lacks a feature also lacks the switch for it.
                guard error == .invalidArgument, key != "userxattr" else { throw error }
            }
        }
        return true
    }

    /// What the kernel noted about a context: lines as `e overlay: …`, one a read.
    private static func messages(of context: FileDescriptor) -> String? {
        var lines: [String] = []
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            // ENODATA ends the log; nothing else can be done about another error on this way out.
            while lines.count < 8, let count = try? Syscall.read(context, into: buffer), count > 2 {
                let text = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[2..<count])
                lines.append(String(decoding: text, as: UTF8.self).filter { $0 != "\n" })
            }
        }
        return lines.isEmpty ? nil : BuildError.printable(lines.joined(separator: "; "))
    }
}

/// The directories of an overlay mount, and how they are written as options.
struct OverlayParts {
    let lower: [String]
    let upper: String?
    let work: String?

    var isReadOnly: Bool { upper == nil }

    /// Options beyond the directories; an empty value is a flag.
    static func settings(isReadOnly: Bool) -> [(String, String)] {
        var settings = [("redirect_dir", "off"), ("metacopy", "off"), ("index", "off")]
        if !isReadOnly { settings.append(("volatile", "")) }
        if Mount.usesUserAttributes {
            // `metacopy` and `redirect_dir` cannot even be named along with it.
            settings = [("userxattr", "")] + settings.filter { $0.0 == "index" || $0.0 == "volatile" }
        }
        return settings
    }

    /// The option string of mount(2); `nil` where it is longer than the page that the kernel takes.
    var optionString: String? {
        var options = "lowerdir=" + lower.map { Self.escaped($0, [0x5c, 0x3a, 0x2c]) }.joined(separator: ":")
        if let upper, let work {
            options += ",upperdir=\(Self.escaped(upper, [0x5c, 0x2c])),workdir=\(Self.escaped(work, [0x5c, 0x2c]))"
        }
        for (key, value) in Self.settings(isReadOnly: isReadOnly) {
            options += value.isEmpty ? ",\(key)" : ",\(key)=\(value)"
        }
        return options.utf8.count < 4096 ? options : nil
    }

    /// `path` with a backslash before each of `bytes`.
    static func escaped(_ path: String, _ bytes: Set<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in path.utf8 {
            if bytes.contains(byte) { result.append(0x5c) }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
