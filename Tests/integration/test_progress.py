"""How a build is shown: the live view on a terminal, plain lines elsewhere, and BuildKit's JSON."""
import base64
import json
import re

from harness import test
from terminal import Terminal

DOCKERFILE = """
FROM busybox AS one
RUN echo first && for i in 1 2 3 4 5 6; do echo "one $i"; sleep 0.2; done
FROM busybox
RUN printf '\\033[2J\\033[31mred\\033[0m\\n' && sleep 0.8 && touch /x
COPY --from=one /bin/sh /y
"""


def command(case, dockerfile, *options):
    """A build without the --progress that other tests want."""
    return [word for word in case.build_command(case.context(), *options, dockerfile=dockerfile)
            if word != "--progress=plain"]


@test("on a terminal, steps are shown side by side in frames of one piece, and collapse to a summary")
def live(case):
    terminal = Terminal(case, command(case, DOCKERFILE, "-t", "app"))
    terminal.wait_for("one 3")
    terminal.resize(12, 50)
    assert terminal.end() == 0, terminal.text[-3000:]
    frames = terminal.text.split("\x1b[?2026h")[1:]
    assert len(frames) > 5 and all("\x1b[?2026l" in frame for frame in frames)
    assert any("=> => # one 3" in frame and "=> => # red" in frame for frame in frames), "side by side"
    assert "\x1b[2J" not in terminal.text, "a step cleared the screen"
    last = frames[-1].partition("\x1b[?2026l")[2].replace("\r\n", "\n")
    last = re.sub(r"\x1b\[[0-9;]*m", "", last)
    assert re.fullmatch(r"\[\+\] Built in \d+\.\ds: 4 steps, 0 cached\n => image docker.io/library/app:latest  [\d.]+[kM]B\n",
                        last), repr(last)
    narrow = [line for frame in frames[-3:-1] for line in frame.split("\r\n")]
    assert all(len(re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", line).strip("\r")) <= 50 for line in narrow), narrow


@test("--no-color and NO_COLOR leave colours out, and --progress=tty needs a terminal")
def settings(case):
    dockerfile = "FROM busybox\nRUN true\n"
    coloured = Terminal(case, command(case, dockerfile), env={"BUILDKIT_COLORS": "run=1,2,3"})
    assert coloured.end() == 0 and "\x1b[38;2;1;2;3m" in coloured.text, coloured.text
    for options, env in ((["--no-color"], {}), ([], {"NO_COLOR": "1"})):
        terminal = Terminal(case, command(case, dockerfile, *options), env=env)
        assert terminal.end() == 0 and not re.search(r"\x1b\[[0-9;]*m", terminal.text), terminal.text
    assert "#1 [internal]" in terminal_text(case, command(case, dockerfile, "--progress", "plain"))
    assert "#1 [internal]" in terminal_text(case, command(case, dockerfile), BUILDKIT_PROGRESS="plain")
    case.run(command(case, dockerfile, "--progress=tty"), status=1).says("not-a-terminal", "standard error is none")
    case.run(command(case, dockerfile)).says("#1 [internal]")


def terminal_text(case, words, **env):
    terminal = Terminal(case, words, env=env)
    assert terminal.end() == 0, terminal.text
    return terminal.text


@test("a failed step is shown with its output and the error below the summary")
def failure(case):
    terminal = Terminal(case, command(case, "FROM busybox\nRUN echo before; exit 4\n"))
    assert terminal.end() == 1
    end = terminal.text.rpartition("\x1b[?2026l")[2]
    assert [end.index(text) for text in ("Failed after", "\nbefore", "error[step-failed]")] == sorted(
        end.index(text) for text in ("Failed after", "\nbefore", "error[step-failed]")), end


@test("rawjson is BuildKit's status stream, with reasons where they are asked for")
def rawjson(case):
    answer = case.run(command(case, DOCKERFILE, "--progress=rawjson", "--explain"))
    known = {"vertexes": {"digest", "inputs", "name", "started", "completed", "cached", "error"},
             "statuses": {"id", "vertex", "name", "total", "current", "timestamp", "started", "completed"},
             "logs": {"vertex", "stream", "data", "timestamp"}, "warnings": {"vertex", "level", "short", "detail", "url",
                                                                            "sourceInfo", "range"}}
    names, log, reasons, open_steps = {}, b"", [], set()
    for line in answer.err.splitlines():
        status = json.loads(line)
        for kind, values in status.items():
            for value in values:
                assert set(value) <= known[kind], (kind, value)
        for vertex in status.get("vertexes", []):
            names[vertex["digest"]] = vertex["name"]
            (open_steps.discard if "completed" in vertex else open_steps.add)(vertex["digest"])
        for entry in status.get("logs", []):
            assert entry["vertex"] in names and entry["stream"] in (1, 2)
            log += base64.b64decode(entry["data"])
        reasons += [entry["id"] for entry in status.get("statuses", []) if entry["id"].startswith("why: ")]
    assert not open_steps and b"one 6\n" in log, answer.err
    assert "why: never built before" in reasons, reasons
    copy = next(json.loads(line)["vertexes"][0] for line in answer.err.splitlines() if "COPY --from=one" in line)
    assert any(names[source].startswith("[one ") for source in copy["inputs"]), copy
