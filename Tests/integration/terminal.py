"""A whittle on a terminal of its own: what a person sees, and types."""
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading


class Terminal:
    """A whittle on a terminal of its own."""

    def __init__(self, case, command, rows=24, columns=80, env=None):
        self.person, program = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen([str(word) for word in command], stdin=program, stdout=program, stderr=program,
                                        env={**os.environ, "TERM": "xterm", **(env or {})}, start_new_session=True,
                                        cwd=case.directory)
        os.close(program)
        self.text, self.changed = "", threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def resize(self, rows, columns):
        fcntl.ioctl(self.person, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        try:
            while chunk := os.read(self.person, 1 << 16):
                with self.changed:
                    self.text += chunk.decode(errors="replace")
                    self.changed.notify_all()
        except OSError:  # the other side has ended
            pass

    def wait_for(self, fragment, timeout=60):
        with self.changed:
            found = self.changed.wait_for(lambda: fragment in self.text, timeout)
        assert found, f"never said: {fragment}\n{self.text[-2000:]!r}"

    def type(self, text):
        os.write(self.person, text.encode())

    def end(self, timeout=60):
        status = self.process.wait(timeout)
        self.reader.join(5)
        os.close(self.person)
        return status
