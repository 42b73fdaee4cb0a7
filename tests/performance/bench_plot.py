"""A plot of each group of the benchmark, as PNG."""
import os

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402


def ratio_bars(rows, kind, label, title, path):
    """One bar a case; a mark where its target is."""
    rows = [row for row in rows if kind in row["ratios"]]
    if not rows:
        return
    figure, axes = pyplot.subplots(figsize=(8, 1 + 0.22 * len(rows)))
    values, places = [row["ratios"][kind] for row in rows], range(len(rows))
    wanted = [row["targets"].get(kind) for row in rows]
    colours = ["tab:grey" if w is None else "tab:blue" if v >= w else "tab:red" for v, w in zip(values, wanted)]
    axes.barh(places, values, color=colours)
    for place, target in zip(places, wanted):
        if target is not None:
            axes.plot([target, target], [place - 0.5, place + 0.5], color="black")
    axes.set_yticks(places, [row["name"].split("/", 1)[1] for row in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(f"{label} (black: the target; grey: has none)")
    axes.set_title(title)
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


def draw(rows, folder):
    for group in dict.fromkeys(row["name"].split("/")[0] for row in rows):
        chosen, path = [row for row in rows if row["name"].startswith(group + "/")], os.path.join(folder, group)
        if group == "growth":
            growth(chosen, path + ".png")
            continue
        ratio_bars(chosen, "peer", "times as fast as PyTorch", group, path + ".png")
        ratio_bars(chosen, "floor", "share of the floor's speed", group, path + "-floor.png")
        ratio_bars(chosen, "blas", "share of OpenBLAS's speed", group, path + "-openblas.png")
