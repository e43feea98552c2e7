internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleFileSystem

/// This process's ends of the standard streams of a child.
struct ChildStreams: ~Copyable {
    var input: InputPump
    var output: OutputPipe
    var error: OutputPipe
    /// The terminal between this process and the child; -1 where there is none.
    let terminal: CInt

    /// What becomes the child's standard input, output and error.
    typealias Standard = (input: FileDescriptor, output: FileDescriptor, error: FileDescriptor)

    /// A child and its streams.
    struct Started: ~Copyable {
        var child: ChildProcess
        var streams: ChildStreams
    }

    /// Makes the streams that `attachment` asks for and starts a child with them.
    ///
    /// - Parameter attachment: without one, the child reads nothing and writes into pipes.
    static func start(
        _ attachment: ProcessAttachment?, _ start: (Standard) throws(Errno) -> ChildProcess
    ) throws(Errno) -> Started {
        if let attachment, let size = attachment.terminal {
            return try startInTerminal(of: size, reading: attachment.input, start)
        }
        var output = try OutputPipe.make()
        var error = try OutputPipe.make()
        let input = try Input.make(from: attachment?.input)
        let child = try output.withWriteEnd { (output) throws(Errno) in
            try error.withWriteEnd { (error) throws(Errno) in
                try input.childEnd.withDescriptor { (input) throws(Errno) in try start((input, output, error)) }
            }
        }
        output.closeWriteEnd()
        error.closeWriteEnd()
        return Started(
            child: child,
            streams: ChildStreams(input: input.takePump(), output: output, error: error, terminal: -1))
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
        let shown = terminal.takeShown()
        let number = shown.withDescriptor { $0.rawValue }
        let pump = pump(from: source, to: number)
        return Started(
            child: child,
            streams: ChildStreams(
                input: pump, output: OutputPipe(reading: shown), error: error, terminal: number))
    }

    /// Reading from a terminal and writing to it end on their own, so each has a descriptor.
    private static func pump(from source: FileDescriptor?, to terminal: CInt) -> InputPump {
        guard let source else { return InputPump() }
        let copy = whittle_duplicate(terminal)
        // Without one more descriptor nothing else will work either; the program then waits for input until it is stopped.
        guard copy >= 0 else { return InputPump() }
        return InputPump(from: source, to: OwnedDescriptor(owning: FileDescriptor(rawValue: copy)))
    }
}
