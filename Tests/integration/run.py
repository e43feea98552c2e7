"""Runs the tests of every test_*.py beside this file, in the order of names. See run.sh."""
import argparse
import importlib
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

import harness


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--filter", action="append", help="only tests whose module or title contains this")
    arguments = parser.parse_args()
    here = pathlib.Path(__file__).parent
    for module in sorted(here.glob("test_*.py")):
        importlib.import_module(module.stem)

    shared = pathlib.Path(tempfile.mkdtemp(prefix="whittle-integration."))
    passed, failed = 0, []
    try:
        harness.prepare(shared)
        for test in harness.TESTS:
            name = f"{test.module}: {test.title}"
            if arguments.filter and not any(text in name for text in arguments.filter):
                continue
            started = time.monotonic()
            failure = run_one(test)
            if failure is None:
                passed += 1
                print(f"PASS  {name} ({time.monotonic() - started:.1f} s)", flush=True)
            else:
                failed.append(name)
                print(f"FAIL  {name}\n{indented(failure)}", flush=True)
    finally:
        shutil.rmtree(shared, ignore_errors=True)
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(1 if failed or passed == 0 else 0)


def run_one(test):
    """What went wrong, as text, or None."""
    case = harness.Case()
    try:
        test.body(case)
        return None
    except AssertionError as error:
        where = traceback.extract_tb(error.__traceback__)
        line = next((frame for frame in reversed(where) if "test_" in frame.filename), where[-1])
        log = "\n".join(f"{line}" for line in case.log[-1:])
        return f"{pathlib.Path(line.filename).name}:{line.lineno}: {line.line}\n{error}\n{log}"
    except Exception:  # a fault of the test is a failure of the test
        return traceback.format_exc() + "\n" + "\n".join(case.log[-1:])
    finally:
        case.finish()


def indented(text):
    return "\n".join("      " + line for line in text.strip().splitlines()[-60:])


if __name__ == "__main__":
    main()
