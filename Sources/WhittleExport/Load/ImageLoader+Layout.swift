internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
package import WhittleStore

extension ImageLoader {
    /// Takes an archive of images apart into an OCI image layout, for who wants to read it once and keep nothing.
    ///
    /// The index of an OCI archive stays as it is; that of a docker archive is made, with the names as annotations. All is
    /// checked as for ``load(from:)``.
    ///
    /// - Parameter scratch: where the layout goes; whoever calls removes it.
    /// - Returns: the directory.
    /// - Throws: as ``load(from:)``.
    package static func layout(of file: String, in scratch: ProcessScratch) async throws -> String {
        try await BlockingPool.shared.runCancellable { cancellation in
            let files = try unpack(file, scratch, cancellation)
            let images = try ArchiveReader(files, cancellation).images()
            let directory = try scratch.makeDirectory("layout")
            let blobs = directory + "/blobs/sha256"
            for path in [directory + "/blobs", blobs] {
                try describing("make directory", path) { () throws(Errno) in
                    try Syscall.makeDirectory(path, mode: 0o700)
                }
            }
            for image in images {
                for document in image.documents {
                    try AtomicFile.write(
                        document, to: "\(blobs)/\(Digest(hashing: document).hex)", isDurable: false)
                }
                for file in image.files {
                    let place = "\(blobs)/\(file.digest.hex)"
                    // Several images may share a file, which is moved once.
                    guard try describing("look at", place, { () throws(Errno) in try !exists(place) }) else { continue }
                    try describing("move file", file.path) { () throws(Errno) in
                        try Syscall.rename(file.path, to: place)
                    }
                }
            }
            let index = try files["index.json"].flatMap {
                try FileReading.bytes(ofFileAt: $0.path, limit: 8 << 20)
            }
            try AtomicFile.write(index ?? Self.index(of: images), to: directory + "/index.json", isDurable: false)
            try AtomicFile.write(
                Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: directory + "/oci-layout", isDurable: false)
            return directory
        }
    }

    private static func exists(_ path: String) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try Syscall.status(path)
            return true
        } catch {
            if error == .noSuchFileOrDirectory { return false }
            throw error
        }
    }

    /// An index with an entry for each name.
    private static func index(of images: [LoadedImage]) -> [UInt8] {
        var entries: [Descriptor] = []
        for image in images {
            for name in image.names.isEmpty ? [nil] : image.names.map({ Optional($0.familiarName) }) {
                var entry = image.target
                entry.annotations[LayoutIndex.tagAnnotation] = name
                entries.append(entry)
            }
        }
        return Index(manifests: entries).encoded()
    }
}
