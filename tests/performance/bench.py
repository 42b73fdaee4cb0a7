#!/usr/bin/env python3
"""The benchmark: clgrad and its peers side by side, interleaved, in one run on one machine. docs/performance.md says
what is measured and how; scripts/bench.sh makes the environment and starts this."""
import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import bench_cases
import bench_report
from bench_machine import Watch
from bench_sides import Failed, Side, StartSide, TrainSide

HERE = os.path.dirname(os.path.abspath(__file__))

# Seconds of a run and of a trial; how many trials of a variant; runs of each side, but no more than three where all
# together take longer than `budget`; and the pause before each. Workers of OpenMP and OpenBLAS spin for some
# milliseconds after a call, and would take cores from the other side.
FULL = {"seconds": 0.25, "trial": 0.1, "trials": 2, "rounds": 9, "budget": 10, "pause": 0.06}
QUICK = {"seconds": 0.15, "trial": 0.04, "trials": 1, "rounds": 3, "budget": 5, "pause": 0.05}
SMOKE = {"seconds": 0.002, "trial": 0.001, "trials": 1, "rounds": 1, "budget": 5, "pause": 0.0}
ROUNDS_AT_LEAST = 3

# A case is measured again where others had more than this share of the cores, or a side took more than so many times as
# long in its turns as when it was tried; where that does not help, its row says so.
STRANGERS, UNSTEADY, ATTEMPTS = 0.1, 2.0, 3

# Without this PyTorch gets new pages from the system for every large result, which can cost more than computing it.
TORCH_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 33)}


class Bench:
    def __init__(self, options, pace):
        self.options, self.pace = options, pace
        self.sides = {}
        self.environment = {"CLGRAD_DEVICE": options.device} if options.device else {}
        self.folder = tempfile.TemporaryDirectory(prefix="clgrad-bench-")
        self.on_cpu = self.side("clgrad").device.startswith("cpu;")

    def program(self, name):
        return os.path.join(self.options.build, "tests", "performance", name)

    def make_side(self, role):
        clgrad = [self.program("clgrad_side")]
        torch = [sys.executable, os.path.join(HERE, "torch_side.py"), "cpu" if self.on_cpu else "cuda"] \
            if role in ("peer", "start peer") else None
        if role in ("clgrad", "copy"):
            return Side(clgrad, self.environment)
        if role in ("blas", "peak"):
            return Side([self.program("blas_side")])
        if role == "peer":
            return Side(clgrad + ["reference"]) if self.options.smoke else Side(torch, TORCH_MEMORY)
        if role == "start":
            return StartSide([self.program("first_step")] + ([self.options.device] if self.options.device else []))
        if role == "start peer":
            return StartSide(torch + ["first-step"])
        return TrainSide(self.options.build, self.options.device, whole=role == "epoch/whole-program")

    def side(self, role):
        """Started when first asked for."""
        if role not in self.sides:
            self.sides[role] = self.make_side(role)
        return self.sides[role]

    def roles(self, case):
        """Who measures what: {role: (side, work)}; "clgrad" is first."""
        own = {"start": "start", "epoch": case.name}.get(case.group, "clgrad")
        roles = {"clgrad": (self.side(own), case.work)}
        if case.name != "start/cold":
            roles["peer"] = (self.side("start peer" if case.group == "start" else "peer"), case.work)
        has_blas = self.on_cpu and os.path.exists(self.program("blas_side"))
        if case.bytes:
            roles["floor"] = (self.side("copy"), f"copy/{case.bytes}")
        elif case.flops and has_blas:
            roles["floor"] = (self.side("peak"), "blas/forward/" + bench_cases.PEAK)
        if case.blas and has_blas:
            roles["blas"] = (self.side("blas"), case.blas)
        return roles

    def check(self, case, roles):
        """Whether both sides computed the same: the error, or Failed."""
        path = os.path.join(self.folder.name, "result")
        roles["peer"][0].write_result(path)
        error = roles["clgrad"][0].compare(path)[1 if case.norm else 0]
        if not error <= case.tolerance:
            raise Failed(f"the sides differ by {error:.3g}, more than {case.tolerance:g}")
        return error

    def choose_best(self, side, variants, begins=""):
        """Try every variant, and leave the fastest chosen: its number and its time. (torch.compile is apart.)"""
        candidates = [i for i, variant in enumerate(variants)
                      if variant.startswith(begins) and not variant.startswith("compiled")]
        times = dict.fromkeys(candidates, float("inf"))
        for i in candidates * (self.pace["trials"] if len(candidates) > 1 else 1):
            side.choose(i)
            time.sleep(self.pace["pause"])
            times[i] = min(times[i], side.run(self.pace["trial"]))
        best = min(times, key=times.get)
        side.choose(best)
        return best, times[best]

    def rounds(self, sides):
        """Interleaved: {role: microseconds of each round}."""
        times, begin = {role: [] for role in sides}, time.monotonic()
        for i in range(self.pace["rounds"]):
            if i >= ROUNDS_AT_LEAST and time.monotonic() - begin > self.pace["budget"]:
                break
            for role, side in sides.items():
                time.sleep(self.pace["pause"])
                times[role].append(side.run(self.pace["seconds"]))
        return times

    def measure_compiled(self, case, roles, variants, form):
        """torch.compile, on as many threads as the best eager form has: microseconds, or None."""
        side = roles["peer"][0]
        name = "compiled," + form.split(",")[-1]
        try:
            side.choose(variants.index(name))
            return statistics.median(self.rounds({"peer": side})["peer"])
        except Failed as failure:
            print(f"{case.name}: torch.compile: {failure}", file=sys.stderr)
            return None

    def attempt(self, case, roles, variants):
        """Choose the best of each side, then take turns: (forms, rounds, what disturbed it)."""
        chosen = {role: self.choose_best(side, variants[role], case.forms if role == "peer" else "")
                  for role, (side, _) in roles.items()}
        watch = Watch([side.process.pid for side in self.sides.values() if isinstance(side, Side)])
        times = self.rounds({role: side for role, (side, _) in roles.items()})
        strangers = watch.strangers()
        disturbed = [f"others had {100 * strangers:.0f} % of the cores"] if (strangers or 0) > STRANGERS else []
        disturbed += [f"{role} unsteady" for role, (_, tried) in chosen.items()
                      if statistics.median(times[role]) > UNSTEADY * tried]
        return {role: variants[role][best] for role, (best, _) in chosen.items()}, times, disturbed

    def measure(self, case):
        roles = self.roles(case)
        variants = {role: side.open(work) for role, (side, work) in roles.items()}
        row = {"name": case.name, "targets": case.targets, "error": None}
        if "peer" in roles and case.group != "start":
            row["error"], row["tolerance"] = self.check(case, roles), case.tolerance
        for _ in range(1 if self.options.smoke else ATTEMPTS):
            row["forms"], times, row["disturbed"] = self.attempt(case, roles, variants)
            if not row["disturbed"]:
                break
            print(f"{case.name}: {', '.join(row['disturbed'])}", file=sys.stderr, flush=True)
        if "floor" in times and not case.bytes:
            times["floor"] = [t * case.flops / bench_cases.PEAK_FLOPS for t in times["floor"]]
        row["rounds"] = times
        row["microseconds"] = {role: statistics.median(t) for role, t in times.items()}
        row["ratios"] = {role: statistics.median(other / own for other, own in zip(t, times["clgrad"]))
                         for role, t in times.items() if role != "clgrad"}
        if case.compiled and not self.options.smoke and not self.options.quick:
            row["compiled"] = self.measure_compiled(case, roles, variants["peer"], row["forms"]["peer"])
        return row

    def machine(self):
        return {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "device": self.side("clgrad").device,
            "peer": self.sides["peer"].device if "peer" in self.sides else None,
            "openblas": self.sides["blas"].device if "blas" in self.sides else None,
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "commit": commit(),
            "pace": self.pace,
            "threads": {name: value for name, value in os.environ.items()
                        if name.startswith(("OMP_", "OPENBLAS_", "MKL_", "KMP_", "POCL_"))},
        }

    def close(self):
        for side in self.sides.values():
            side.close()
        self.folder.cleanup()


def commit():
    try:
        done = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], capture_output=True, text=True)
    except FileNotFoundError:  # there is no git
        return None
    return done.stdout.strip() or None


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="the build folder, with the target `benchmark` built")
    parser.add_argument("--device", help="as clgrad_context_create takes it; default: CLGRAD_DEVICE, or the best")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="the cases with NAME in their names; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, for a first look")
    parser.add_argument("--smoke", action="store_true",
                        help="tiny sizes, the reference device in PyTorch's place: whether the benchmark works")
    parser.add_argument("--output", default=".", metavar="DIR", help="where bench.json and the plots go")
    parser.add_argument("--merge", action="append", default=[], metavar="FILE",
                        help="rows of an earlier bench.json that this run does not measure; may be repeated")
    parser.add_argument("--resume", action="store_true",
                        help="go on with DIR/bench.json, written after every case: measure what it lacks or has disturbed")
    parser.add_argument("--markdown", metavar="FILE", help="replace the table between the two markers in FILE by all rows there are: measured, resumed, merged")
    parser.add_argument("--report", action="store_true", help="measure nothing, report what --merge or --resume bring")
    return parser.parse_args()


def choose_cases(options, measured):
    return [case for case in (bench_cases.smoke() if options.smoke else bench_cases.full())
            if (not options.only or any(name in case.name for name in options.only)) and case.name not in measured]


def measure_all(options, cases, before, path):
    """The report, kept in the file at path from case to case; and whether every case could be measured and checked."""
    bench = Bench(options, SMOKE if options.smoke else QUICK if options.quick else FULL)
    rows, complete = [], True
    try:
        for case in cases:
            try:
                rows.append(bench.measure(case))
                print(bench_report.line(rows[-1]), flush=True)
            except Failed as failure:
                complete = False
                print(f"{case.name}: {failure}", file=sys.stderr, flush=True)
            report = bench_report.merge(before + [{"machine": bench.machine(), "rows": rows}])
            bench_report.write(report, path)
        return report, complete
    finally:
        bench.close()


def main():
    options = parse_options()
    os.makedirs(options.output, exist_ok=True)
    path = os.path.join(options.output, "bench.json")
    before = [bench_report.read(merged) for merged in options.merge]
    if options.resume and os.path.exists(path):
        before.append(bench_report.read(path))
    measured = {row["name"] for row in bench_report.merge(before)["rows"]
                if not row.get("disturbed")} if options.resume else set()
    cases = [] if options.report else choose_cases(options, measured)
    if options.report and not before:
        raise SystemExit("--report: there is nothing to report; --resume or --merge FILE bring rows")
    if not options.report and not cases and not measured:
        raise SystemExit(f"no case has {' or '.join(options.only)} in its name")
    if options.markdown:
        bench_report.around_table(options.markdown)  # not after an hour

    print(bench_report.HEADER)
    if cases:
        report, complete = measure_all(options, cases, before, path)
    else:
        report, complete = bench_report.merge(before), True
        bench_report.write(report, path)
        for row in report["rows"]:
            print(bench_report.line(row))
    for sentence in bench_report.findings(report["rows"]):
        print(sentence)
    if options.markdown:
        bench_report.write_markdown(report, options.markdown)
    if not options.smoke:
        try:
            import bench_plot
        except ImportError as missing:
            print(f"no plots: {missing}", file=sys.stderr)
        else:
            bench_plot.draw(report["rows"], options.output, bench_report.where(report))
    return 0 if complete else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:  # a side that does not even start
        sys.exit(str(failure))
