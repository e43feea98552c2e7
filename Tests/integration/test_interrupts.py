"""Interrupted and simultaneous builds: nothing stays, nothing is half-written, the next build works."""
import random
import signal
import subprocess
import time

import image as images
from harness import test


def sleeper():
    """A number of seconds that no other process has in its command line: it marks the step of a test."""
    return f"{random.randrange(100, 999)}.{random.randrange(10**6, 10**7)}"


def interrupted(case, number, dockerfile="FROM busybox\nRUN echo first > /first\nRUN echo started; sleep MARKER\n"):
    marker = sleeper()
    running = case.start(case.build_command(
        case.context({"f": "f"}), "-t", "never", dockerfile=dockerfile.replace("MARKER", marker)))
    running.wait_for(" started")
    time.sleep(0.2)  # the sleep of the step has begun
    started = time.monotonic()
    running.signal(number)
    answer = running.end(30)
    assert answer.status != 0, answer.text
    case.assert_nothing_left(marker)
    return answer, time.monotonic() - started


def next_build_works(case):
    image = case.image("FROM busybox\nRUN echo first > /first\nRUN echo fine > /fine\n")
    assert image.read("/fine") == "fine\n"
    case.run(case.command("images", "--root", case.store)).says_not("never")


@test("Ctrl-C stops the step, leaves nothing mounted or running, and the next build works")
def control_c(case):
    answer, seconds = interrupted(case, signal.SIGINT)
    assert answer.status == 130, answer.status
    assert seconds < 15, seconds
    next_build_works(case)


@test("SIGTERM does the same")
def terminate(case):
    answer, _ = interrupted(case, signal.SIGTERM)
    assert answer.status == 143, answer.status
    next_build_works(case)


@test("a step that ignores SIGTERM is killed")
def stubborn(case):
    _, seconds = interrupted(
        case, signal.SIGINT, "FROM busybox\nRUN trap '' TERM INT; echo started; sleep MARKER; sleep MARKER\n")
    assert seconds < 20, seconds
    next_build_works(case)


@test("kill -9 leaves nothing mounted or running, and the next build works")
def kill(case):
    interrupted(case, signal.SIGKILL)
    next_build_works(case)


@test("kill -9 at any moment leaves a store that works")
def kill_anywhere(case):
    dockerfile = ("FROM busybox\nCOPY . /c\nRUN cat /c/* > /all\nFROM busybox\nCOPY --from=0 /all /\n"
                  "RUN wc -c /all > /count\n")
    context = case.context({f"f{n}": "x" * 5000 for n in range(200)})
    generator = random.Random(4)
    for _ in range(8):
        running = case.start(case.build_command(
            context, "-t", "app", "-o", f"type=oci,dest={case.directory}/out.tar", dockerfile=dockerfile))
        time.sleep(generator.uniform(0.01, 1.2))
        running.process.kill()
        running.end(30)
    image = case.image(dockerfile, context=context)
    assert image.read("/count") == "1000000 /all\n"
    case.assert_nothing_left("no such process")


@test("a failing step stops its siblings")
def sibling(case):
    marker = sleeper()
    started = time.monotonic()
    case.fails(f"""
FROM busybox AS slow
RUN sleep {marker}
FROM busybox AS failing
RUN sleep 1; exit 9
FROM scratch
COPY --from=slow /etc/passwd /1
COPY --from=failing /etc/passwd /2
""", {}, "--jobs", "4").says("9", "CANCELED")
    assert time.monotonic() - started < 20
    case.assert_nothing_left(marker)


@test("a process that a step leaves behind ends with the step")
def daemon(case):
    marker = sleeper()
    case.build(f"FROM busybox\nRUN sleep {marker} & true\nRUN echo next\n")
    case.assert_nothing_left(marker)


@test("three processes build the same thing at once and all succeed")
def same_build(case):
    dockerfile = "FROM busybox\nCOPY . /c\nRUN sleep 0.5; cat /c/f > /g\nRUN date +%N > /now\n"
    context = case.context({"f": "f"})
    outputs = [case.directory / f"out{number}" for number in range(3)]
    running = [
        case.start(case.build_command(
            context, "-t", f"app{number}", "-o", f"type=oci,tar=false,dest={output}", dockerfile=dockerfile))
        for number, output in enumerate(outputs)
    ]
    for each in running:
        answer = each.end(120)
        assert answer.status == 0, answer.text
    for output in outputs:
        assert images.Image(output).read("/g") == "f"
    assert not case.build(dockerfile, context=context).ran("RUN date")


@test("processes that build different things share one store")
def different_builds(case):
    running = [
        case.start(case.build_command(
            case.context({"f": str(number)}), "-t", f"app{number}",
            dockerfile=f"FROM busybox\nCOPY f /f\nRUN [ $(cat /f) = {number} ]\n"))
        for number in range(4)
    ]
    for each in running:
        answer = each.end(120)
        assert answer.status == 0, answer.text
    case.run(case.command("images", "--root", case.store)).says(*[f"app{number}" for number in range(4)])


@test("a full disk is an error that says so, and the store works afterwards")
def full_disk(case):
    store = case.directory / "small"
    store.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", store], check=True)
    try:
        case.fails("FROM busybox\nRUN dd if=/dev/zero of=/big bs=1M count=40\n", store=store).says("space")
        case.build("FROM busybox\nRUN echo small > /s\n", store=store)
    finally:
        subprocess.run(["umount", "-l", store], check=True)
