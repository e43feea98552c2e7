import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

/// A source and a destination to copy between, and a short way to say what came out.
struct CopyFixture {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("copy")
        try directory.makeDirectory("source")
        try directory.makeDirectory("target")
    }

    /// Writes files of the source: `path` or `path=contents`; a path that ends with `/` is a directory.
    func source(_ files: String...) throws { try write(files, in: "source") }
    func target(_ files: String...) throws { try write(files, in: "target") }

    private func write(_ files: [String], in base: String) throws {
        for file in files {
            let parts = file.split(separator: "=", maxSplits: 1).map(String.init)
            if file.hasSuffix("/") {
                try directory.makeDirectory("\(base)/\(file)")
            } else {
                try directory.write("\(base)/\(parts[0])", parts.count == 2 ? parts[1] : parts[0])
            }
        }
    }

    func tree(
        _ kind: SourceTree.Kind = .context, filter: TreeFilter? = nil, index: FileIndex? = nil
    ) throws -> SourceTree {
        let root = try RootDirectory(
            directory("source"), rule: kind == .context ? .contained : .container,
            name: kind == .context ? "the build context" : "stage 'build'")
        return SourceTree(root, kind: kind, filter: filter, index: index)
    }

    func plan(
        _ sources: [String], _ destination: String = "/", in tree: SourceTree? = nil,
        _ change: (inout CopyRequest) throws -> Void = { _ in }
    ) throws -> CopyPlan {
        var request = CopyRequest(sources: sources, destination: destination)
        try change(&request)
        return try CopyPlan(request, from: tree ?? self.tree())
    }

    @discardableResult
    func copy(
        _ sources: [String], _ destination: String, from kind: SourceTree.Kind = .context, filter: TreeFilter? = nil,
        _ change: (inout CopyRequest) throws -> Void = { _ in }
    ) throws -> TreeCopier.Outcome {
        let plan = try plan(sources, destination, in: tree(kind, filter: filter), change)
        return try TreeCopier.execute(plan, into: RootDirectory(directory("target")))
    }

    /// Everything in the destination: `path/`, `path=contents` or `path->target`.
    func result() throws -> [String] {
        var lines: [String] = []
        try TreeWalk(directory("target")).forEach(cancellation: nil) { entry in
            switch entry.status.kind {
            case .directory: lines.append("\(entry.path)/")
            case .symbolicLink: lines.append("\(entry.path)->\(try entry.linkTarget())")
            case .regular:
                let file = try entry.open()
                let bytes = try file.withDescriptor { try FileReading.bytes(of: $0, limit: 1 << 20) }
                lines.append("\(entry.path)=\(String(decoding: bytes, as: UTF8.self))")
            default: lines.append("\(entry.path) (\(entry.status.kind))")
            }
        }
        return lines
    }

    func status(_ path: String) throws -> FileStatus { try Syscall.status(directory(path)) }

    /// What a list of names excludes, as `--exclude NAME` does.
    static func excluding(_ names: String...) -> TreeFilter {
        TreeFilter { path, _, _ in
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            return names.contains(name) ? .prune : .take
        }
    }
}
