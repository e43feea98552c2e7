import CWhittleLinux
import Glibc
import Synchronization
import SystemPackage
import Testing
import WhittleFileSystem
import WhittlePrograms
import WhittleTestKit

@testable import WhittleRuntime

@Suite("ProcessAttachment", .timeLimit(.minutes(1)))
struct ProcessAttachmentTests {
    private func run(
        _ script: String, _ attachment: ProcessAttachment, receive: @escaping (String) -> Void = { _ in }
    ) throws -> (code: Int32, output: String) {
        var output = ""
        let monitor = ProcessMonitor(cancellation: try CancellationSignal(), teardown: .standard) { chunk in
            let text = String(decoding: chunk.bytes, as: UTF8.self)
            output += chunk.stream == .standardError ? "E:\(text)" : text
            receive(text)
        }
        let status = try monitor.run(
            "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"], attachment: attachment)
        return (status.exitCode, output)
    }

    @Test("hands a whole file to the process, and its end")
    func file() throws {
        let directory = try TemporaryDirectory("input")
        let path = try directory.write("file", String(repeating: "0123456789abcdef", count: 20_000))
        let file = try Syscall.open(path, .readOnly)
        try file.withDescriptor { file in
            let (code, output) = try run("wc -c; cat", ProcessAttachment(input: file))
            #expect(code == 0)
            #expect(output == "320000\n")
        }
    }

    @Test("does not wait for an input that never comes, nor for a process that never reads")
    func idle() throws {
        var ends: [CInt] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let reading = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[0]))
        let writing = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[1]))
        try reading.withDescriptor { reading in
            #expect(try run("exit 3", ProcessAttachment(input: reading)).code == 3)
            let text = [UInt8](repeating: 65, count: 60_000)
            try writing.withDescriptor { writing in
                try text.withUnsafeBytes { try Syscall.writeAll(writing, $0) }
            }
            #expect(try run("exec <&-; sleep 0.1; exit 4", ProcessAttachment(input: reading)).code == 4)
        }
    }

    @Test("gives the process a terminal of the wanted size, and tells it of another")
    func terminal() throws {
        let attachment = ProcessAttachment(terminal: TerminalSize(rows: 12, columns: 34))
        let (code, output) = try run(
            """
            trap 'stty size; exit 5' WINCH
            test -t 0 && test -t 1 && stty size
            while :; do sleep 0.05; done
            """, attachment
        ) { text in
            if text.contains("12 34") { attachment.resize(to: TerminalSize(rows: 56, columns: 78)) }
        }
        #expect(code == 5)
        #expect(output == "12 34\n56 78\n")
    }

    @Test("types into the terminal")
    func typing() throws {
        let directory = try TemporaryDirectory("input")
        let path = try directory.write("keys", "hello\u{3}")
        let file = try Syscall.open(path, .readOnly)
        try file.withDescriptor { file in
            let attachment = ProcessAttachment(input: file, terminal: .standard)
            let (code, output) = try run("dd bs=1 count=6 2>/dev/null | od -An -c", attachment)
            #expect(code == 0)
            #expect(output.split(separator: " ").joined() == "hello003\n")
        }
    }

    @Test("sends signals to the process while it runs, and says so where it does not")
    func signals() throws {
        let attachment = ProcessAttachment()
        #expect(!attachment.send(signal: SIGUSR1))
        let (code, _) = try run(
            "trap 'exit 7' USR1; echo ready; while :; do sleep 0.05; done", attachment
        ) { _ in #expect(attachment.send(signal: SIGUSR1)) }
        #expect(code == 7)
        #expect(!attachment.send(signal: SIGUSR1))
    }
}

@Suite("RawTerminal")
struct RawTerminalTests {
    @Test("is raw until it is restored")
    func restores() throws {
        let terminal = try PseudoTerminal(.standard)
        try terminal.program.withDescriptor { descriptor in
            var settings = termios()
            #expect(tcgetattr(descriptor.rawValue, &settings) == 0)
            settings.c_lflag |= tcflag_t(ECHO | ICANON)
            #expect(tcsetattr(descriptor.rawValue, TCSANOW, &settings) == 0)
            func echoes() -> Bool {
                tcgetattr(descriptor.rawValue, &settings)
                return settings.c_lflag & tcflag_t(ECHO | ICANON) != 0
            }
            let raw = try RawTerminal(descriptor)
            #expect(!echoes())
            raw.restore()
            #expect(echoes())
        }
    }

    @Test("refuses what is no terminal")
    func refuses() throws {
        let file = try Syscall.open("/dev/null", .readOnly)
        #expect(throws: Errno.inappropriateIOCTLForDevice) {
            try file.withDescriptor { (file) throws(Errno) in _ = try RawTerminal(file) }
        }
        #expect(file.withDescriptor { TerminalSize(of: $0) } == nil)
    }
}
