#!/usr/bin/env python3
"""Builds the cases with whittle, checks what they expect, and compares with a peer.

   usage: Conformance/run.py [--filter TEXT]… [--peer buildah] [--peer buildctl --addr ADDRESS [--buildctl PROGRAM]]

The program is $WHITTLE, else .build/debug/whittle. Exit status 0: every case is as expected, and every difference from a peer is
documented in its case; 1: something is not; 2: a case file is wrong. --json writes all outcomes.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import bases as base_images  # noqa: E402
import builders  # noqa: E402
import cases as case_files  # noqa: E402
import expectations  # noqa: E402
import servers  # noqa: E402


def main():
    arguments = parse()
    program = os.path.realpath(os.environ.get("WHITTLE", HERE.parent / ".build/debug/whittle"))
    try:
        cases = case_files.load(arguments.cases, arguments.filter)
    except case_files.BadCase as error:
        print(f"conformance: {error}", file=sys.stderr)
        sys.exit(2)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="whittle-conformance."))
    peer = None
    serving = servers.Servers(directory)
    started = time.monotonic()
    try:
        bases = base_images.make(directory / "bases")
        whittle = builders.Whittle(program, bases, directory)
        peer = make_peer(arguments, bases, directory)
        runner = Runner(whittle, peer, directory, serving, tomllib.loads((HERE / "peers.toml").read_text()))
        with concurrent.futures.ThreadPoolExecutor(arguments.parallel) as pool:
            outcomes = list(pool.map(runner.outcome, cases))
    finally:
        serving.close()
        if hasattr(peer, "close"):
            peer.close()
        if os.environ.get("SAVE_TEMPS"):
            print(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    problems = runner.problems(outcomes, is_whole=not arguments.filter)
    report(arguments, outcomes, problems, time.monotonic() - started, [whittle] + ([peer] if peer else []))
    sys.exit(1 if problems or not outcomes else 0)


def parse():
    parser = argparse.ArgumentParser(description="Builds the conformance cases and compares with a peer.")
    parser.add_argument("--filter", action="append", default=[], help="only cases whose topic or name contains this")
    parser.add_argument("--peer", choices=["buildah", "buildctl"], help="build with this as well, and compare")
    parser.add_argument("--addr", help="the address of buildkitd")
    parser.add_argument("--buildctl", default="buildctl", help="the client program of BuildKit")
    parser.add_argument("--parallel", type=int, default=2, help="how many cases run side by side (2)")
    parser.add_argument("--cases", default=HERE / "cases", help="the directory of the cases")
    parser.add_argument("--json", help="write all outcomes to this file")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    arguments = parser.parse_args()
    if arguments.peer == "buildctl" and not arguments.addr:
        parser.error("--peer buildctl needs --addr")
    return arguments


def make_peer(arguments, bases, directory):
    if arguments.peer == "buildah":
        return builders.Buildah(bases, directory)
    if arguments.peer == "buildctl":
        return builders.Buildctl(arguments.addr, bases, arguments.buildctl)
    return None


class Runner:
    def __init__(self, whittle, peer, directory, serving, known):
        self.whittle, self.peer, self.directory, self.serving = whittle, peer, directory, serving
        self.known = known.get(peer.name, {}) if peer else {}

    def outcome(self, case):
        """What came of one case: a dictionary as --json writes it."""
        directory = pathlib.Path(tempfile.mkdtemp(prefix="case.", dir=self.directory))
        outcome = {"name": case.name, "status": "pass", "reason": ""}
        try:
            case = self.serving.fill(case)
            files = builders.Files(case, directory)
            result = self.whittle.build(case, files)
            try:
                self.check(case, result, exact=True)
            except (expectations.Unmet, AssertionError) as unmet:
                outcome.update(status="fail", reason=str(unmet))
            if self.peer:
                self.compare(case, files, result, outcome)
        except builders.Unsupported as error:
            outcome.update(status="skip", reason=str(error))
        except Exception as error:  # one case must not end the run
            outcome.update(status="fail", reason=f"{type(error).__name__}: {error}")
        finally:
            if not os.environ.get("SAVE_TEMPS"):
                shutil.rmtree(directory, ignore_errors=True)
        return outcome

    @staticmethod
    def check(case, result, exact, ignored=()):
        if case.expects_error:
            expectations.check_error(case, result, exact)
        else:
            expectations.check_image(case, result, ignored)

    # ---- the peer

    def compare(self, case, files, mine, outcome):
        documented = case.get("differs", {}).get(self.peer.name)
        lacking = [feature for feature in case.get("uses", []) if feature in self.known.get("lacks", {})]
        outcome["features"] = lacking
        try:
            difference = self.difference(case, files, mine)
        except builders.Unsupported as error:
            outcome.update(peer="skipped", difference=str(error))
            return
        if difference is None:
            outcome.update(peer="stale" if documented else "same")
        elif documented or lacking:
            reason = documented or "; ".join(self.known["lacks"][feature] for feature in lacking)
            outcome.update(peer="known", difference=difference, why=reason)
        else:
            outcome.update(peer="different", difference=difference)

    def difference(self, case, files, mine):
        """What the peer does otherwise, as text; None for nothing."""
        theirs = self.peer.build(case, files)
        ignored = self.known.get("ignore", []) + case.get("ignore", [])
        if mine.built != theirs.built:
            return f"the peer {'builds' if theirs.built else 'fails'}: {theirs.text[-700:]}"
        try:
            self.check(case, theirs, exact=False, ignored=ignored)
        except (expectations.Unmet, AssertionError) as unmet:
            return f"the peer is not as the case expects: {unmet}"
        if not mine.built:
            return None
        command = [self.whittle.program, "diff", "--root", str(self.whittle.store)]
        command += [f"--ignore={field}" for field in ignored]
        result = subprocess.run(command + [f"oci:{mine.layout}", f"oci:{theirs.layout}"], capture_output=True, text=True,
                                check=False)
        if result.returncode == 0:
            return None
        return (result.stdout + result.stderr).strip()[:1500]

    def problems(self, outcomes, is_whole):
        """Why the run as a whole is not as it should be."""
        problems = [f"{each['name']}: {each['reason']}" for each in outcomes if each["status"] == "fail"]
        for each in outcomes:
            if each.get("peer") == "different":
                problems.append(f"{each['name']}: differs from {self.peer.name}, which is not documented:\n{each['difference']}")
            if each.get("peer") == "stale":
                problems.append(f"{each['name']}: is documented to differ from {self.peer.name}, and does not")
        if is_whole and self.peer:
            for feature in self.known.get("lacks", {}):
                using = [each for each in outcomes if feature in each.get("features", [])]
                if using and not any(each["peer"] == "known" for each in using):
                    problems.append(f"peers.toml: {self.peer.name} is said to lack '{feature}', and no case differs")
        return problems


def report(arguments, outcomes, problems, seconds, used):
    for each in outcomes:
        failed = each["status"] == "fail" or each.get("peer") in ("different", "stale")
        if failed or arguments.verbose:
            print(f"{each['status'].upper():5} {each.get('peer', ''):9} {each['name']}")
        elif each["status"] == "skip":
            print(f"SKIP            {each['name']}: {each['reason']}")
    topics = collections.defaultdict(collections.Counter)
    for each in outcomes:
        topics[each["name"].split(":")[0]].update(["cases", each["status"], f"peer {each.get('peer')}"])
    columns = ["cases", "pass", "fail", "skip"] + (["peer same", "peer known", "peer different", "peer skipped"] if len(used) > 1 else [])
    print(f"\n{'topic':24}" + "".join(f"{column:>16}" for column in columns))
    total = collections.Counter()
    for topic, counts in topics.items():
        total.update(counts)
        print(f"{topic:24}" + "".join(f"{counts[column]:>16}" for column in columns))
    print(f"{'all':24}" + "".join(f"{total[column]:>16}" for column in columns))
    for problem in problems:
        print("\n* " + problem.replace("\n", "\n  "))
    print(f"\n{total['pass']} passed, {total['fail']} failed, {len(problems)} problems in {seconds:.0f} s")
    if arguments.json:
        document = {"builders": {builder.name: builders.version(builder) for builder in used}, "seconds": round(seconds),
                    "cases": outcomes, "problems": problems}
        pathlib.Path(arguments.json).write_text(json.dumps(document, indent=2) + "\n")


main()
