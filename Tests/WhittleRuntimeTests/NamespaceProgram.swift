import Glibc
import SystemPackage
import WhittleFileSystem
import WhittlePrograms
import WhittleTestKit

@testable import WhittleRuntime

/// A small program around the C function that enters namespaces.
enum NamespaceProgram {
    /// Why it cannot be made or run here; `nil` where it can.
    static let obstacle: String? = {
        if geteuid() != 0 { return "needs root" }
        if access("/usr/bin/cc", X_OK) != 0 { return "needs a C compiler" }
        return nil
    }()

    private static let source = #"""
        #define _GNU_SOURCE
        #include <errno.h>
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/prctl.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <unistd.h>
        #include "CWhittleNamespaces.h"

        static void refuse_mounts(void) {
            struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
            };
            struct sock_fprog program = {.len = 4, .filter = code};
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
        }

        int main(int count, char **arguments) {
            const char *mode = arguments[1], *script = arguments[2];
            fprintf(stderr, "%d\n", getpid());
            if (strcmp(mode, "refused") == 0 && setuid(65534) != 0) return 99;
            if (strcmp(mode, "no-mounts") == 0) refuse_mounts();
            if (!whittle_enter_namespaces()) {
                const char *operation;
                int error = whittle_namespaces_refusal(&operation);
                printf("%s: %d obstacle %d\n", operation, error, whittle_namespaces_obstacle());
                fflush(stdout);
            }
            if (strcmp(mode, "exec") == 0) execl("/bin/sh", "sh", "-c", script, NULL);
            int status = system(script);
            return WEXITSTATUS(status);
        }
        """#

    private static let built: Result<(TemporaryDirectory, path: String), any Error> = Result {
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let directory = try TemporaryDirectory("namespaces")
        let file = try directory.write("program.c", source)
        let path = directory("program")
        let library = "/\(package)/Sources/CWhittleLinux"
        let monitor = ProcessMonitor(cancellation: try CancellationSignal(), teardown: .standard) { output in
            print(String(decoding: output.bytes, as: UTF8.self))
        }
        let status = try monitor.run(
            "/usr/bin/cc",
            arguments: [
                "cc", "-O1", "-I", "\(library)/include", file, "\(library)/namespaces.c", "\(library)/user_namespace.c",
                "-o", path,
            ],
            environment: ["PATH=/usr/bin:/bin"])
        guard status.exitCode == 0 else { throw Errno.invalidArgument }
        return (directory, path)
    }

    /// Runs `script` inside.
    ///
    /// - Parameters:
    ///   - mode: `system` starts the shell below the program, `exec` makes the program the shell.
    ///   - whenReady: called with the first output of the script, with the process that was started here.
    static func run(
        _ script: String, mode: String = "system", whenReady: @escaping (pid_t) -> Void = { _ in }
    ) throws -> (code: Int32, output: String) {
        let program = try built.get().path
        var output = ""
        var errors = ""
        let monitor = ProcessMonitor(cancellation: try CancellationSignal(), teardown: .standard) { chunk in
            let text = String(decoding: chunk.bytes, as: UTF8.self)
            if chunk.stream == .standardError { errors += text }
            guard chunk.stream == .standardOutput else { return }
            let isFirst = output.isEmpty
            output += text
            if isFirst, let caller = errors.split(separator: "\n").first.flatMap({ pid_t($0) }) { whenReady(caller) }
        }
        let status = try monitor.run(
            program, arguments: ["program", mode, script], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        return (status.exitCode, output)
    }

    /// The one process below `parent`.
    static func child(of parent: pid_t) -> pid_t? {
        let text = try? FileReading.bytes(ofFileAt: "/proc/\(parent)/task/\(parent)/children")
        return text.flatMap { pid_t(String(decoding: $0, as: UTF8.self).filter { $0 != " " }) }
    }

    /// Whether a process has `mark` in its command line.
    static func isRunning(_ mark: String) throws -> Bool {
        let proc = try RootDirectory("/proc")
        return try proc.names(in: "/").contains { name in
            guard Int(name.description) != nil else { return false }
            // The process may end while this looks.
            let line = (try? FileReading.bytes(ofFileAt: "/proc/\(name)/cmdline")) ?? nil
            return String(decoding: line ?? [], as: UTF8.self).contains(mark)
        }
    }
}
