import Testing

@testable import WhittleSSH

@Suite("AgentMessages")
struct AgentMessagesTests {
    @Test("messages are found however the stream is cut", arguments: 1...9)
    func cut(size: Int) throws {
        let stream: [UInt8] = [0, 0, 0, 1, 11, 0, 0, 0, 3, 13, 1, 2, 0, 0, 0, 1, 11]
        var messages = AgentMessages()
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            messages.append(stream[start..<min(start + size, stream.count)])
            while let message = try messages.next() { found.append(message) }
        }
        #expect(found == [[0, 0, 0, 1, 11], [0, 0, 0, 3, 13, 1, 2], [0, 0, 0, 1, 11]])
    }

    @Test(
        "lengths that no message has are refused at once",
        arguments: [[0, 0, 0, 0], [0, 4, 0, 1], [255, 255, 255, 255]] as [[UInt8]])
    func refused(length: [UInt8]) {
        var messages = AgentMessages()
        messages.append(length)
        #expect(throws: AgentMessages.TooLong.self) { try messages.next() }
    }

    @Test("listing and signing are forwarded, and no other type", arguments: UInt8.min...UInt8.max)
    func filter(type: UInt8) {
        #expect(AgentMessages.isForwarded([0, 0, 0, 1, type]) == (type == 11 || type == 13))
    }
}

@Suite("PrivateKeyText")
struct PrivateKeyTextTests {
    struct Example: Sendable {
        let text: String
        let fault: PrivateKeyText.Fault?
    }

    static let examples = [
        Example(
            text: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END",
            fault: nil),
        Example(
            text: "-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAG\r\n",
            fault: .needsPassphrase),
        Example(text: "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", fault: nil),
        Example(
            text: "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIE\n",
            fault: .needsPassphrase),
        Example(text: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n", fault: .needsPassphrase),
        Example(text: "ssh-ed25519 AAAA user@host\n", fault: .notAKey),
        Example(text: "", fault: .notAKey),
        Example(text: "-----BEGIN CERTIFICATE-----\nMIIE\n", fault: .notAKey),
    ]

    @Test("tells keys that can be used from others", arguments: examples)
    func faults(example: Example) {
        #expect(PrivateKeyText.fault(in: Array(example.text.utf8)) == example.fault)
    }
}
