import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("Mount", .enabled(if: isRoot, "mounting needs root"))
struct MountTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("mount") }

    private func mounted(_ target: String, _ body: () throws -> Void) throws {
        let result = Result { try body() }
        try Mount.unmount(target)
        try result.get()
    }

    @Test("stacks lower directories top first below the upper one", arguments: [1, 2, 120, 500])
    func overlay(count: Int) throws {
        var lower: [String] = []
        for index in 0..<count {
            try directory.write("l\(index)/only\(index)", "\(index)")
            try directory.write("l\(index)/same", "\(index)")
            lower.append(directory("l\(index)"))
        }
        for name in ["upper", "work", "at"] { try directory.makeDirectory(name) }
        try Mount.overlay(lower: lower, upper: directory("upper"), work: directory("work"), at: directory("at"))
        try mounted(directory("at")) { () throws in
            #expect(try directory.read("at/same") == "0")
            #expect(try directory.read("at/only\(count - 1)") == "\(count - 1)")
            try directory.write("at/same", "changed")
            try directory.write("at/new", "n")
        }
        #expect(try directory.read("upper/same") == "changed")
        #expect(try directory.read("upper/new") == "n")
        #expect(try directory.read("l0/same") == "0")
    }

    @Test("takes paths with colons, commas and backslashes")
    func oddPaths() throws {
        for name in ["l:o,w\\er", "lower", "up:p,e\\r", "w:o,r\\k", "at"] { try directory.makeDirectory(name) }
        try directory.write("l:o,w\\er/f", "x")
        try Mount.overlay(
            lower: [directory("l:o,w\\er"), directory("lower")], upper: directory("up:p,e\\r"),
            work: directory("w:o,r\\k"), at: directory("at"))
        try mounted(directory("at")) { () throws in
            #expect(try directory.read("at/f") == "x")
            try directory.write("at/g", "y")
        }
        #expect(try directory.read("up:p,e\\r/g") == "y")
    }

    @Test("shows the upper directory itself where there is nothing below it")
    func noLower() throws {
        for name in ["upper", "work", "at"] { try directory.makeDirectory(name) }
        try Mount.overlay(lower: [], upper: directory("upper"), work: directory("work"), at: directory("at"))
        try mounted(directory("at")) { try directory.write("at/f", "x") }
        #expect(try directory.read("upper/f") == "x")
    }

    @Test("refuses writes to a read-only overlay", arguments: [1, 2])
    func readOnly(count: Int) throws {
        for index in 0..<count { try directory.write("l\(index)/f\(index)", "x") }
        try directory.makeDirectory("at")
        try Mount.readOnlyOverlay((0..<count).map { directory("l\($0)") }, at: directory("at"))
        try mounted(directory("at")) { () throws in
            #expect(try directory.read("at/f\(count - 1)") == "x")
            let error = #expect(throws: BuildError.self) { try directory.write("at/g", "y") }
            #expect(error?.systemError == .readOnlyFileSystem)
        }
    }

    @Test("binds read-only, and files as well as directories")
    func bind() throws {
        try directory.write("source/f", "x")
        try directory.write("file", "")
        try directory.makeDirectory("at")
        try Mount.bind(directory("source"), at: directory("at"), isReadOnly: true)
        try mounted(directory("at")) { () throws in
            #expect(try directory.read("at/f") == "x")
            #expect(throws: BuildError.self) { try directory.write("at/g", "y") }
            try directory.write("source/g", "y")
        }
        try Mount.bind(directory("source/f"), at: directory("file"))
        try mounted(directory("file")) { () throws in #expect(try directory.read("file") == "x") }
    }

    @Test("says which mount the kernel refused, and why")
    func failures() throws {
        try directory.makeDirectory("at")
        let bind = #expect(throws: BuildError.self) { try Mount.bind("/nothing", at: directory("at")) }
        #expect(bind?.code == .mount)
        #expect(bind?.message == "cannot mount bind '/nothing' at '\(directory("at"))': no such file or directory")
        let many = #expect(throws: BuildError.self) {
            try Mount.readOnlyOverlay([String](repeating: "/", count: 501), at: directory("at"))
        }
        #expect(many?.message == "cannot mount 501 layers at '\(directory("at"))': overlayfs takes at most 500")
        let unmount = #expect(throws: BuildError.self) { try Mount.unmount(directory("at")) }
        #expect(unmount?.message == "cannot unmount '\(directory("at"))': invalid argument")
    }
}
