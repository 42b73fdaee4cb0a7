"""A plot of each group of the benchmark, as PNG."""
import os
import statistics

import matplotlib

matplotlib.use("Agg")
from matplotlib import patches, pyplot  # noqa: E402


def colour_of(value, wanted):
    return "tab:grey" if wanted is None else "tab:blue" if value >= wanted else "tab:red"


MEANINGS = (("tab:blue", "meets its target"), ("tab:red", "does not"), ("tab:grey", "has no target"))


def ratio_bars(rows, kind, label, title, path):
    """One bar a case, with the middle half of its turns; a mark where its target is. Disturbed cases say nothing."""
    rows = [row for row in rows if kind in row["ratios"] and not row.get("disturbed")]
    if not rows:
        return
    figure, axes = pyplot.subplots(figsize=(8, 1.4 + 0.22 * len(rows)))
    values, places = [row["ratios"][kind] for row in rows], range(len(rows))
    wanted = [row["targets"].get(kind) for row in rows]
    colours = [colour_of(value, target) for value, target in zip(values, wanted)]
    axes.barh(places, values, color=colours)
    for place, row, target in zip(places, rows, wanted):
        turns = [other / own for other, own in zip(row["rounds"][kind], row["rounds"]["clgrad"])]
        if len(turns) >= 3:
            low, _, high = statistics.quantiles(turns, method="inclusive")
            axes.plot([low, high], [place, place], color="black", linewidth=0.8)
        if target is not None:
            axes.plot([target, target], [place - 0.45, place + 0.45], color="black", linewidth=2)
    axes.axvline(1, color="black", linewidth=0.5, linestyle=":")
    axes.set_yticks(places, [row["name"].split("/", 1)[1] for row in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(f"{label} (thick: the target; thin: the middle half of the turns)")
    axes.set_title(title, fontsize=8)
    axes.legend(handles=[patches.Patch(color=colour, label=meaning) for colour, meaning in MEANINGS
                         if colour in colours], fontsize=7)
    save(figure, path)


def growth(rows, path):
    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4))
    for axes, kind in zip(panels, ("batch", "width")):
        for role, name in (("clgrad", "clgrad"), ("peer", "PyTorch"), ("floor", "products at the peak")):
            points = sorted((int(row["name"].split("/")[-1]), row["microseconds"][role]) for row in rows
                            if row["name"].startswith(f"growth/{kind}/") and role in row["microseconds"])
            if points:
                axes.loglog(*zip(*points), marker="." if role != "floor" else None,
                            linestyle="-" if role != "floor" else ":", label=name)
        axes.set_xlabel(kind)
        axes.set_ylabel("microseconds a training step")
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def draw(rows, folder, where):
    """where: the machine, in a line."""
    for group in dict.fromkeys(row["name"].split("/")[0] for row in rows):
        chosen, path = [row for row in rows if row["name"].startswith(group + "/")], os.path.join(folder, group)
        if group == "growth":
            growth(chosen, path + ".png")
            continue
        title = f"{group}\n{where}"
        ratio_bars(chosen, "peer", "times as fast as PyTorch", title, path + ".png")
        ratio_bars(chosen, "floor", "share of the floor's speed", title, path + "-floor.png")
        ratio_bars(chosen, "blas", "share of OpenBLAS's speed", title, path + "-openblas.png")
