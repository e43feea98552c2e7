internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleFileSystem
internal import WhittlePrograms

/// This process's ends of the standard streams of a child.
struct ChildStreams: ~Copyable {
    var input = InputPump()
    var output = OutputPipe()
    var error: OutputPipe
    /// The terminal that input and output are; -1 where there is none, or none yet.
    private(set) var terminal: CInt = -1

    /// What becomes the child's standard input, output and error.
    typealias Standard = (input: FileDescriptor, output: FileDescriptor, error: FileDescriptor)

    /// A child and its streams.
    struct Started: ~Copyable {
        var child: ChildProcess
        var streams: ChildStreams
    }

    /// Makes the streams that `attachment` asks for and starts a child with them.
    ///
    /// - Parameters:
    ///   - attachment: without one, the child reads nothing and writes into pipes.
    ///   - hasConsole: whether the child sends the terminal later, see ``adopt(_:for:)``; otherwise it gets one.
    static func start(
        _ attachment: ProcessAttachment?, hasConsole: Bool, _ start: (Standard) throws(Errno) -> ChildProcess
    ) throws(Errno) -> Started {
        switch attachment?.terminal {
        case let size? where !hasConsole: try startInTerminal(of: size, reading: attachment?.input, start)
        case .some: try startWithConsole(start)
        case nil: try startWithPipes(reading: attachment?.input, start)
        }
    }

    private static func startWithPipes(
        reading source: FileDescriptor?, _ start: (Standard) throws(Errno) -> ChildProcess
    ) throws(Errno) -> Started {
        var output = try OutputPipe.make()
        var error = try OutputPipe.make()
        let input = try Input.make(from: source)
        let child = try output.withWriteEnd { (output) throws(Errno) in
            try error.withWriteEnd { (error) throws(Errno) in
                try input.childEnd.withDescriptor { (input) throws(Errno) in try start((input, output, error)) }
            }
        }
        output.closeWriteEnd()
        error.closeWriteEnd()
        return Started(
            child: child, streams: ChildStreams(input: input.takePump(), output: output, error: error))
    }

    /// What a child without a terminal reads.
    private struct Input: ~Copyable {
        let childEnd: OwnedDescriptor
        let pump: InputPump

        static func make(from source: FileDescriptor?) throws(Errno) -> Input {
            guard let source else {
                return Input(childEnd: try Syscall.open("/dev/null", .readOnly), pump: InputPump())
            }
            var ends: [CInt] = [-1, -1]
            guard whittle_input_pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
            return Input(
                childEnd: OwnedDescriptor(owning: FileDescriptor(rawValue: ends[0])),
                pump: InputPump(from: source, to: OwnedDescriptor(owning: FileDescriptor(rawValue: ends[1]))))
        }

        consuming func takePump() -> InputPump { pump }
    }

    private static func startInTerminal(
        of size: TerminalSize, reading source: FileDescriptor?, _ start: (Standard) throws(Errno) -> ChildProcess
    ) throws(Errno) -> Started {
        let terminal = try PseudoTerminal(size)
        var error = try OutputPipe.make()
        let child = try error.withWriteEnd { (error) throws(Errno) in
            try terminal.program.withDescriptor { (end) throws(Errno) in try start((end, end, error)) }
        }
        error.closeWriteEnd()
        var streams = ChildStreams(error: error)
        streams.show(terminal.takeShown(), reading: source)
        return Started(child: child, streams: streams)
    }

    private static func startWithConsole(
        _ start: (Standard) throws(Errno) -> ChildProcess
    ) throws(Errno) -> Started {
        let nothing = try Syscall.open("/dev/null", .readWrite)
        var error = try OutputPipe.make()
        let child = try error.withWriteEnd { (error) throws(Errno) in
            try nothing.withDescriptor { (nothing) throws(Errno) in try start((nothing, nothing, error)) }
        }
        error.closeWriteEnd()
        return Started(child: child, streams: ChildStreams(error: error))
    }

    /// Shows the terminal that a child has sent.
    mutating func adopt(_ terminal: consuming OwnedDescriptor, for attachment: ProcessAttachment) {
        show(terminal, reading: attachment.input)
        attachment.show(self.terminal)
    }

    private mutating func show(_ terminal: consuming OwnedDescriptor, reading source: FileDescriptor?) {
        let number = terminal.withDescriptor { $0.rawValue }
        self.terminal = number
        output = OutputPipe(reading: terminal)
        guard let source else { return }
        // Reading and writing end on their own, so each has a descriptor. Without one more nothing else will work either;
        // the program then waits for input until it is stopped.
        let copy = whittle_duplicate(number)
        if copy >= 0 { input = InputPump(from: source, to: OwnedDescriptor(owning: FileDescriptor(rawValue: copy))) }
    }
}
