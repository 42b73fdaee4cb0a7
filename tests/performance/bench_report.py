"""The table of the benchmark: in the terminal, as JSON, and in docs/performance.md."""
import json
import statistics

import bench_cases

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
TARGETS = {"peer": "{:g} x PyTorch", "floor": "{:g} of the floor", "blas": "{:g} of OpenBLAS", "seconds": "{:g} s"}
COLUMNS = "{:44} {:>10} {:>10} {:>7} {:>10} {:>7} {:>10} {:>7}  {:30} {}"
HEADER = COLUMNS.format("case (times in microseconds)", "clgrad", "PyTorch", "ratio", "OpenBLAS", "of it", "floor",
                        "of it", "target", "")


def met(row):
    """Whether every target is met; None without targets, and where something disturbed the measurement."""
    if not row["targets"] or row.get("disturbed"):
        return None
    return all(row["microseconds"]["clgrad"] <= 1e6 * wanted if kind == "seconds"
               else kind in row["ratios"] and row["ratios"][kind] >= wanted
               for kind, wanted in row["targets"].items())


def number(value):
    """Three digits."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cells(row):
    times, ratios = row["microseconds"], row["ratios"]

    def ratio(kind):
        return f"{ratios[kind]:.2f}" if kind in ratios else ""

    target = ", ".join(TARGETS[kind].format(wanted) for kind, wanted in row["targets"].items())
    return [row["name"], number(times["clgrad"]), number(times.get("peer")), ratio("peer"), number(times.get("blas")),
            ratio("blas"), number(times.get("floor")), ratio("floor"), target,
            "disturbed: " + ", ".join(row["disturbed"]) if row.get("disturbed")
            else {None: "", True: "met", False: "not met"}[met(row)]]


def line(row):
    return COLUMNS.format(*cells(row)).rstrip()


# ---- what the rows say together ----

def largest_jump(rows, prefix, role):
    """Between neighbouring sizes of a growth, each twice the one before: (factor, from, to)."""
    points = [(int(row["name"].split("/")[-1]), row["microseconds"][role]) for row in rows
              if row["name"].startswith(prefix) and role in row["microseconds"]]
    points.sort()
    return max(((b[1] / a[1], a[0], b[0]) for a, b in zip(points, points[1:])), default=None)


def spread(rows):
    """How far apart the quartiles of a ratio to the peer are from turn to turn, relative to the ratio: the middle one
    of all cases. None where there are too few turns to say."""
    spreads = []
    for row in rows:
        ratios = [other / own for other, own in zip(row["rounds"].get("peer", []), row["rounds"]["clgrad"])]
        if len(ratios) >= 3:
            low, middle, high = statistics.quantiles(ratios, method="inclusive")
            spreads.append((high - low) / middle)
    return statistics.median(spreads) if spreads else None


def findings(rows):
    with_target = [row for row in rows if row["targets"]]
    if with_target:
        verdicts = [met(row) for row in with_target]
        yield f"{len(with_target)} figures have a target: {verdicts.count(True)} meet it, {verdicts.count(False)} do " \
              f"not, {verdicts.count(None)} were disturbed."
    if any(row.get("disturbed") for row in rows):
        yield "Disturbed rows say nothing and do not count: --resume measures them again."
    for kind, work in (("batch", "twice"), ("width", "at most four times")):
        jumps = [(name, largest_jump(rows, f"growth/{kind}/", role))
                 for role, name in (("clgrad", "clgrad"), ("peer", "PyTorch"))]
        texts = [f"{name} {jump[0]:.2f} times (from {jump[1]} to {jump[2]})" for name, jump in jumps if jump]
        if texts:
            yield f"Each {kind} has {work} the work of the one before; time grows at most {' and '.join(texts)}."
    if spread(rows) is not None:
        yield f"From turn to turn, the middle half of a case's ratios to PyTorch spans {100 * spread(rows):.0f} % " \
              "of it (the middle one of all cases)."
    compiled = [row for row in rows if row.get("compiled")]
    if compiled:
        yield "torch.compile, microseconds (ratio to clgrad): " + ", ".join(
            f"{row['name']} {number(row['compiled'])} ({row['compiled'] / row['microseconds']['clgrad']:.2f})"
            for row in compiled) + "."


# ---- files ----

def read(path):
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} is no bench.json: {error}")


def write(report, path):
    with open(path, "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")


def merge(reports):
    """One report; the later one's rows win."""
    rows, machines = {}, []
    for report in reports:
        machines += [machine for machine in report.get("machines", [report.get("machine")]) if machine]
        rows.update({row["name"]: row for row in report["rows"]})
    position = {case.name: i for i, case in enumerate(bench_cases.full())}
    return {"machines": machines,
            "rows": sorted(rows.values(), key=lambda row: position.get(row["name"], len(position)))}


def machine_of(report):
    """Of several runs' machines the later one's words."""
    machine = {}
    for m in report["machines"]:
        machine.update({key: value for key, value in m.items() if value})
    return machine


def where(report):
    machine = machine_of(report)
    return f"{machine['device']}; {machine['cores']} cores; {machine['date']}, at {machine['commit']}"


def markdown(report):
    machine = machine_of(report)
    dates = sorted({m["date"] for m in report["machines"]})
    yield f"- device: {machine['device']}; {machine['cores']} cores; {machine['system']}"
    peers = [machine[key] for key in ("peer", "openblas") if machine.get(key)]
    if peers:
        yield "- peers: " + "; ".join(peers)
    yield f"- taken {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "") + f", at {machine['commit']}"
    for sentence in findings(report["rows"]):
        yield "- " + sentence
    group = None
    for row in report["rows"]:
        if row["name"].split("/")[0] != group:
            group = row["name"].split("/")[0]
            yield f"\n### {group.capitalize()}\n"
            yield "| case | clgrad us | PyTorch us | ratio | OpenBLAS us | of it | floor us | of it | target | |"
            yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |"
        yield "| " + " | ".join(cells(row)) + " |"


def around_table(path):
    """What stands before and behind the place for the table."""
    try:
        with open(path) as file:
            before, begin, rest = file.read().partition(BEGIN)
    except OSError as error:
        raise SystemExit(f"--markdown {path}: {error.strerror}")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"--markdown {path}: it has no place for the table, {BEGIN} and {END}")
    return before, after


def write_markdown(report, path):
    before, after = around_table(path)
    with open(path, "w") as file:
        file.write("\n".join([before + BEGIN, *markdown(report), END]) + after)
