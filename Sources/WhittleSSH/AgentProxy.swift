internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleCore
package import WhittleFileSystem

/// A socket that lets whoever reaches it list the keys of an SSH agent and sign with them, and nothing else.
///
/// Adding, removing and locking keys, and extensions, get the protocol's failure as an answer and do not reach the agent.
/// Served by a thread of its own. Memory is bounded: so many connections, and one message each way for each.
package final class AgentProxy: Sendable {
    /// Where it listens, on this machine.
    package let path: String
    /// The same, short enough for any program: names of sockets have at most 107 bytes, and a store may lie deep.
    package let shortPath: String
    private let directory: String
    /// Held, because ``shortPath`` goes through it.
    private let opened: OwnedDescriptor
    private let stop: CInt
    /// Raised by the thread at its end.
    private let finished: CInt
    /// Of one thread, which ends with this object.
    private let thread = BlockingPool(limit: 1)

    /// Listens in `directory`, which goes with the proxy.
    ///
    /// - Throws: `ssh-agent-failed` where the agent is not there or the socket cannot be made.
    package init(_ id: String, upstream: String, directory: String, owner: FileOwner, mode: UInt32) throws {
        path = "\(directory)/agent"
        self.directory = directory
        // Now, and not at the first use: a step would only see that ssh finds no keys.
        let trial = AgentConnection.connect(upstream)
        guard trial >= 0 else {
            throw BuildError.sshAgentFailed(
                id, "connecting to '\(BuildError.printable(upstream))': \(BuildError.reason(errno))",
                hint: "the agent must run; 'ssh-add -l' tells")
        }
        Glibc.close(trial)
        let opened = try describing("open", directory) { () throws(Errno) in
            try Syscall.open(directory, [.readOnly, .directory])
        }
        let number = opened.withDescriptor { $0.rawValue }
        self.opened = opened
        shortPath = "/proc/\(getpid())/fd/\(number)/agent"
        let listener = whittle_listen("/proc/self/fd/\(number)/agent")
        guard listener >= 0 else {
            throw BuildError.sshAgentFailed(id, "making its socket: \(BuildError.reason(errno))")
        }
        var isKept = false
        defer { if !isKept { Glibc.close(listener) } }
        guard chown(path, owner.uid, owner.gid) == 0, chmod(path, mode_t(mode)) == 0 else {
            throw BuildError.sshAgentFailed(id, "making its socket: \(BuildError.reason(errno))")
        }
        stop = whittle_event()
        finished = whittle_event()
        guard stop >= 0, finished >= 0 else {
            throw BuildError.sshAgentFailed(id, "making its socket: \(BuildError.reason(errno))")
        }
        isKept = true
        thread.submit { [stop, finished] in
            AgentServer(listener: listener, stop: stop, upstream: upstream).serve()
            _ = whittle_raise_event(finished)
        }
    }

    /// Ends all connections, and removes the socket and its directory. To be called once.
    package func close() throws {
        _ = whittle_raise_event(stop)
        var entry = pollfd(fd: finished, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, -1) < 0 {}
        Glibc.close(stop)
        Glibc.close(finished)
        try TreeRemoval.remove(directory)
    }
}

/// The thread of an ``AgentProxy``.
private struct AgentServer {
    let listener: CInt
    let stop: CInt
    let upstream: String

    /// As many as a parallel `git fetch` of submodules opens; further ones wait to be accepted.
    private static let connectionLimit = 64

    func serve() {
        var connections: [AgentConnection] = []
        defer {
            for connection in connections { connection.close() }
            close(listener)
        }
        while true {
            let accepts = connections.count < Self.connectionLimit
            var entries = [
                pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
                pollfd(fd: accepts ? listener : -1, events: Int16(POLLIN), revents: 0),
            ]
            for connection in connections { entries += connection.pollEntries }
            guard poll(&entries, nfds_t(entries.count), -1) >= 0 else {
                if errno == EINTR { continue }
                return
            }
            if entries[0].revents != 0 { return }
            for index in connections.indices {
                let position = 2 + 2 * index
                connections[index].handle(
                    client: entries[position].revents, agent: entries[position + 1].revents, upstream: upstream)
            }
            connections.removeAll { $0.isEnded }
            if entries[1].revents != 0 {
                let accepted = whittle_accept(listener)
                if accepted >= 0 { connections.append(AgentConnection(client: accepted)) }
            }
        }
    }
}

/// One client, and its own connection to the agent. The protocol is strictly question and answer.
private struct AgentConnection {
    private enum Phase {
        /// Waits for a request, or for the rest of one.
        case reading
        /// Has something for the agent.
        case asking([UInt8])
        /// Waits for the agent's answer.
        case waiting
        /// Has something for the client.
        case answering([UInt8])
    }

    private let client: CInt
    /// -1 until there is something for the agent.
    private var agent: CInt = -1
    private var phase = Phase.reading
    private var requests = AgentMessages()
    private var answers = AgentMessages()
    private(set) var isEnded = false

    init(client: CInt) { self.client = client }

    /// A connection to the agent at `path`, which does not wait; -1 with errno.
    static func connect(_ path: String) -> CInt {
        if path.utf8.count < 108 { return whittle_connect(path) }
        // Longer than the name of a socket may be: through its directory.
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = open(String(path[...slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return -1 }
        let result = whittle_connect("/proc/self/fd/\(directory)\(path[slash...])")
        let error = errno
        Glibc.close(directory)
        errno = error
        return result
    }

    func close() {
        Glibc.close(client)
        if agent >= 0 { Glibc.close(agent) }
    }

    /// For the client and for the agent.
    var pollEntries: [pollfd] {
        let (ofClient, ofAgent): (Int32, Int32) =
            switch phase {
            case .reading: (POLLIN, 0)
            case .asking: (0, POLLOUT)
            case .waiting: (0, POLLIN)
            case .answering: (POLLOUT, 0)
            }
        return [
            pollfd(fd: client, events: Int16(ofClient), revents: 0),
            pollfd(fd: agent, events: Int16(ofAgent), revents: 0),
        ]
    }

    mutating func handle(client: Int16, agent: Int16, upstream: String) {
        guard client != 0 || agent != 0 else { return }
        do {
            switch phase {
            case .reading:
                if client != 0 { try read(from: self.client, into: \.requests) }
                // An agent that leaves meanwhile is asked anew by a new connection.
                if agent != 0 { hangUp() }
            case .asking(let message):
                let rest = try write(message, to: self.agent)
                phase = rest.isEmpty ? .waiting : .asking(rest)
            case .waiting:
                if client & Int16(POLLHUP | POLLERR) != 0 { throw Ended() }
                if agent != 0 { try read(from: self.agent, into: \.answers) }
                if let answer = try answers.next() { phase = .answering(answer) }
            case .answering(let message):
                let rest = try write(message, to: self.client)
                phase = rest.isEmpty ? .reading : .answering(rest)
            }
            if case .reading = phase { try takeRequest(upstream) }
        } catch {
            // Whatever it is, the client sees that its connection ends.
            close()
            isEnded = true
        }
    }

    /// The connection is over, or is to be.
    private struct Ended: Error {}

    private mutating func takeRequest(_ upstream: String) throws {
        guard let request = try requests.next() else { return }
        guard AgentMessages.isForwarded(request) else {
            phase = .answering(AgentMessages.failure)
            return
        }
        if agent < 0 { agent = Self.connect(upstream) }
        phase = agent < 0 ? .answering(AgentMessages.failure) : .asking(request)
    }

    private mutating func hangUp() {
        if agent >= 0 { Glibc.close(agent) }
        agent = -1
        answers = AgentMessages()
    }

    private mutating func read(from end: CInt, into messages: WritableKeyPath<Self, AgentMessages>) throws {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(end, &buffer, buffer.count, 0)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        guard count > 0 else { throw Ended() }
        self[keyPath: messages].append(buffer[..<count])
    }

    private func write(_ bytes: [UInt8], to end: CInt) throws -> [UInt8] {
        let count = bytes.withUnsafeBytes { send(end, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        if count < 0, errno == EINTR || errno == EAGAIN { return bytes }
        guard count >= 0 else { throw Ended() }
        return Array(bytes.dropFirst(count))
    }
}
