"""Steps for another processor: through binfmt_misc, or with an error that says how to get there."""
import shutil
import subprocess

import image
from harness import test
from layout import arm64_program

PLACE = "/proc/sys/fs/binfmt_misc"
NAME = "whittle-test"
MAGIC = (r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
         r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff")
FOREIGN = "FROM scratch\nCOPY program /\nRUN [\"/program\"]\nFROM scratch AS native\nCOPY program /\n"
# A mount namespace of its own: where it had the last mount of binfmt_misc, the handler goes with it.
SCRIPT = """\
[ -e $PLACE/register ] || mount -t binfmt_misc none $PLACE || exit 77
printf %s "$ENTRY" > $PLACE/register || exit 77
trap 'echo -1 > $PLACE/$NAME' EXIT
"$@"
"""


def emulated(case, flags, interpreter, *arguments):
    """Runs whittle while the kernel has a handler for arm64; `None` where it takes none."""
    entry = f":{NAME}:M::{MAGIC[0]}:{MAGIC[1]}:{interpreter}:{flags}"
    answer = case.run(["env", f"PLACE={PLACE}", f"NAME={NAME}", f"ENTRY={entry}", "unshare", "--mount", "sh", "-c", SCRIPT, "sh",
                       *arguments], status=None)
    if answer.status == 77:
        print("      skipped: this kernel takes no handlers of binfmt_misc")
        return None
    return answer


def is_registered():
    """Whether the machine runs arm64 by itself."""
    listed = subprocess.run(f"grep -l b700 {PLACE}/* 2>/dev/null", shell=True, capture_output=True, text=True)
    if listed.stdout:
        print(f"      skipped: this machine has {listed.stdout.split()[0]} already")
    return bool(listed.stdout)


def context(case):
    root = case.context({"program": arm64_program()})
    (root / "program").chmod(0o755)
    return root


@test("a step for another processor without an emulator is an error that says how to get one")
def missing(case):
    if is_registered():
        return
    answer = case.build(FOREIGN, None, "--platform", "linux/arm64", "--target", "0", context=context(case), status=1)
    answer.says("error[emulator-missing]: cannot run '/program': it is built for linux/arm64, this machine runs linux/amd64",
                'RUN ["/program"]', "qemu", "$BUILDPLATFORM")
    # What only copies needs none.
    case.build(FOREIGN, None, "--platform", "linux/arm64", "--target", "native", context=context(case))


@test("a step for another processor runs by the kernel's handler, which the container need not see")
def fixed(case):
    emulator = shutil.which("qemu-aarch64-static")
    assert emulator, "qemu-user-static is missing: scripts/setup.sh test installs it"
    tree = case.directory / "tree"
    command = case.build_command(context(case), "--platform", "linux/arm64,linux/amd64", "--target", "0", "-t", "app", "-o",
                                 "type=image", "-o", tree, dockerfile=FOREIGN)
    answer = emulated(case, "F", emulator, *command)
    if answer is None:
        return
    assert answer.status == 0, answer.text
    assert (tree / "linux_arm64/made").read_text() == "arm64\n"
    answer = emulated(case, "F", emulator, *case.command("run", "--root", case.store, "--platform", "linux/arm64", "app", "/program"))
    assert (answer.status, answer.out) == (0, "arm64\n"), answer.text


@test("an emulator that the kernel does not keep open is shown to the step, and leaves nothing in its layer")
def mounted(case):
    emulator = shutil.which("qemu-aarch64-static")
    layout, dockerfile = case.directory / "layout", "FROM scratch\nCOPY program /usr/bin/\nRUN [\"/usr/bin/program\"]\n"
    root = case.context({"program": arm64_program()})
    (root / "program").chmod(0o755)
    command = case.build_command(root, "--platform", "linux/arm64", "-o", f"type=oci,tar=false,dest={layout}", dockerfile=dockerfile)
    answer = emulated(case, "", emulator, *command)
    if answer is None:
        return
    assert answer.status == 0, answer.text
    assert list(image.Image(layout).last_entries()) == ["made"], image.Image(layout).last_entries()
    # One with libraries is of no use inside.
    answer = emulated(case, "", "/usr/bin/env", *case.build_command(
        root, "--platform", "linux/arm64", "--no-cache", dockerfile=dockerfile))
    answer.says("error[emulator-missing]", "'/usr/bin/env', which binfmt_misc has as 'whittle-test', needs libraries")
