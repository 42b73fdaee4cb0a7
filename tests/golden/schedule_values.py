"""Learning rates of torch.optim.lr_scheduler, step by step, and what ReduceLROnPlateau makes of metrics."""

import inspect
import math
import random
import re
import warnings

import torch
from torch.optim import lr_scheduler

from emit import PUBLIC, Header, float32, list_rows, parameters_text

DECLARATION = """
typedef struct golden_schedule {
    const char *label;
    clgrad_schedule_kind kind;
    float parameters[8]; /* in the order of the list's row */
    double lr;           /* the base rate */
    uint32_t count;      /* of steps, from 0 on; for a plateau of metrics */
    const double *rates; /* at each step; for a plateau the rate after each metric, and likewise: */
    const double *metrics, *best;
    const uint32_t *bad, *cooldown;
} golden_schedule;
"""

# A row of the list: a value off the default for each parameter, which is tried alone (with what it needs, if
# it needs something), and further combinations. lr, steps and metrics are how it is run, not parameters.
SCHEDULES = {
    "constant": ({}, [dict(lr=0.0)]),
    "step": (
        dict(step_size=7, gamma=0.75),
        [dict(step_size=1, gamma=0.5), dict(step_size=13, gamma=1.25, lr=0.003), dict(step_size=50, gamma=0)],
    ),
    "multi_step": (
        dict(milestone1=4, milestone2=50, milestone3=60, milestone4=70, gamma=0.25),
        [
            dict(milestone1=90, milestone2=12, milestone3=61, milestone4=33, gamma=0.5),
            dict(milestone1=20, milestone2=20, milestone3=20, milestone4=45, gamma=0.6),
            dict(milestone1=0, milestone2=1, milestone3=0, milestone4=2, gamma=0.3, lr=2.0),
            dict(milestone1=0, milestone4=100, gamma=0.0),
            dict(milestone1=0),
        ],
    ),
    "exponential": (dict(gamma=0.97), [dict(gamma=1.02), dict(gamma=0), dict(gamma=1, lr=0.25)]),
    "linear": (
        dict(start_factor=0.125, end_factor=0.5, total_iters=40),
        [
            dict(start_factor=0.01, end_factor=0.9, total_iters=99, lr=3.0),
            dict(start_factor=1.0, end_factor=0.0, total_iters=60),
            dict(start_factor=0.75, end_factor=0.25, total_iters=1),
        ],
    ),
    "polynomial": (
        dict(total_iters=80, power=2),
        [
            dict(total_iters=50, power=0.9),
            dict(total_iters=100, power=2, lr=0.5),
            dict(total_iters=1, power=3),
            dict(total_iters=30, power=0),
        ],
    ),
    "cosine_annealing": (
        dict(T_max=37, eta_min=0.02),
        [dict(T_max=100, eta_min=0.001), dict(T_max=1), dict(T_max=25, eta_min=0.3), dict(T_max=130, lr=2.0)],
    ),
    "cosine_annealing_warm_restarts": (
        dict(T_0=23, T_mult=2, eta_min=0.02),
        [
            dict(T_0=7, T_mult=2, eta_min=0.01),
            dict(T_0=1, T_mult=2),
            dict(T_0=2, T_mult=3, lr=2.0),
            dict(T_0=1),
            dict(T_0=4, T_mult=5, eta_min=0.25),
        ],
    ),
    "one_cycle": (
        dict(
            total_steps=70,
            pct_start=0.45,
            linear_anneal=1,
            div_factor=10,
            final_div_factor=50,
            three_phase=1,
        ),
        [
            dict(linear_anneal=1, three_phase=1, final_div_factor=4),
            dict(total_steps=130, pct_start=0.2, div_factor=3, final_div_factor=0.5, three_phase=1, lr=2.0),
            dict(total_steps=61, pct_start=0.7, div_factor=4),
            dict(total_steps=61, pct_start=0.7, div_factor=4, three_phase=1),
            dict(total_steps=64, pct_start=0.5, div_factor=0.5, linear_anneal=1, three_phase=1),
            dict(pct_start=0.0, final_div_factor=4),
            dict(pct_start=0.0, final_div_factor=4, three_phase=1),
            dict(pct_start=0.005, linear_anneal=1, three_phase=1, final_div_factor=4),
            dict(pct_start=1.0, div_factor=5, final_div_factor=4),
            dict(total_steps=1, div_factor=5, final_div_factor=4),
            dict(total_steps=2, pct_start=0.75, div_factor=5, final_div_factor=4),
        ],
    ),
    "reduce_on_plateau": (
        dict(
            maximum=1,
            factor=0.5,
            patience=3,
            threshold=0.25,
            absolute=1,
            cooldown=5,
            min_lr=0.003,
            eps=0.004,
        ),
        [
            dict(factor=0.5, patience=2, cooldown=3, threshold=0.05),
            dict(factor=0.8, patience=0, metrics="noise"),
            dict(factor=0.8, patience=0, cooldown=1, metrics="noise"),
            dict(factor=0.7, patience=1, maximum=1, absolute=1, threshold=0.1, cooldown=2, metrics="noise"),
            dict(factor=0.7, patience=1, maximum=1, threshold=0.1, metrics="noise"),
            dict(factor=0.9, patience=2, threshold=0.5, metrics="halves"),
            dict(factor=0.9, patience=1, threshold=0.25, absolute=1, metrics="quarters"),
            dict(factor=0.9, patience=1, threshold=0.5, maximum=1, metrics="quarters"),
            dict(factor=0.9, patience=1, threshold=0.25, maximum=1, absolute=1, metrics="quarters"),
            dict(factor=0.9, patience=1, threshold=0, metrics="quarters"),
            dict(factor=0.9, patience=1, threshold=0, maximum=1, metrics="quarters"),
            dict(factor=0.9, patience=1, metrics="broken"),
            dict(factor=0.9, patience=1, maximum=1, cooldown=4, metrics="broken"),
            dict(factor=0.9, patience=2, threshold=1, metrics="noise"),
            dict(factor=0.5, patience=1, min_lr=0.3, metrics="noise"),
            dict(factor=0.5, patience=1, min_lr=0.01, eps=0, cooldown=2, metrics="noise"),
            dict(factor=0.5, patience=1, eps=0.015625, metrics="noise", lr=0.125),
            dict(factor=0.0, patience=20),
        ],
    ),
}

# What some parameters need beside them to have an effect.
NEEDS = {
    ("multi_step", "gamma"): dict(milestone2=45),
    ("one_cycle", "final_div_factor"): dict(div_factor=4),
}

# clgrad's flags as PyTorch's words.
WORDS = {
    "linear_anneal": ("anneal_strategy", ("cos", "linear")),
    "maximum": ("mode", ("min", "max")),
    "absolute": ("threshold_mode", ("rel", "abs")),
    "three_phase": ("three_phase", (False, True)),
}

CLASSES = {
    "step": lr_scheduler.StepLR,
    "multi_step": lr_scheduler.MultiStepLR,
    "exponential": lr_scheduler.ExponentialLR,
    "linear": lr_scheduler.LinearLR,
    "polynomial": lr_scheduler.PolynomialLR,
    "cosine_annealing": lr_scheduler.CosineAnnealingLR,
    "cosine_annealing_warm_restarts": lr_scheduler.CosineAnnealingWarmRestarts,
    "one_cycle": lr_scheduler.OneCycleLR,
    "reduce_on_plateau": lr_scheduler.ReduceLROnPlateau,
}


def metrics(label):
    """Losses that fall and then stay; noise; what makes ties with a threshold; what is not a number."""
    generator = random.Random(label)
    if label == "losses":
        falling = [2 * 0.9**i + 0.1 * generator.random() for i in range(25)]
        numbers = falling + [falling[-1] + 0.1 * generator.random() for _ in range(105)]
    elif label == "noise":
        numbers = [generator.uniform(-1, 1) * (1 + i / 20) for i in range(60)]
    elif label == "halves":
        numbers = [2.0 ** -(i // 3) * generator.choice([1, 1, 1.5]) for i in range(60)]
    elif label == "quarters":
        numbers = [generator.randint(-12, 12) / 4 + 0.125 * (i // 30) for i in range(60)]
    else:
        numbers = [generator.choice([math.nan, 1, 2, 3 - i / 20, i / 20]) for i in range(60)]
        numbers[0] = math.nan
        numbers[30], numbers[40] = math.inf, -math.inf
    return [round(number, 12) for number in numbers]


def row_parameters(name):
    """The row's parameters in order, each with its type and its default, from the public header."""
    text = (PUBLIC / "schedule.h").read_text()
    row = re.search(rf"X\(\d+, [A-Z0-9_]+, {name},[\s\\]*(CLGRAD_SCHEDULE_\w+_PARAMETERS)", text)
    macro = re.search(rf"#define {row[1]}\(P\)((?:.*\\\n)*.*)", text)
    lines = re.findall(r"P\((\w+), (\w+), ([-+.e\d]+)f( / 3\.0f)?,", macro[1])
    return {
        parameter: (kind, float32(float(value) / (3 if third else 1)))
        for kind, parameter, value, third in lines
    }


def keywords(name, types, options):
    """Parameters by clgrad's names as the class's arguments."""
    result = {}
    for parameter, value in options.items():
        if parameter in WORDS:
            argument, words = WORDS[parameter]
            result[argument] = words[int(value)]
        elif parameter.startswith("milestone"):
            result.setdefault("milestones", []).extend([int(value)] if value else [])
        else:
            result[parameter] = int(value) if types[parameter] == "INTEGER" else value
    if name == "one_cycle":
        result["cycle_momentum"] = False
    return result


def check_defaults(name, arguments):
    """The list's defaults are PyTorch's, where it has one."""
    signature = inspect.signature(CLASSES[name].__init__).parameters
    for argument, value in arguments.items():
        theirs = signature[argument].default
        if argument in ("cycle_momentum", "total_steps") or theirs is inspect.Parameter.empty:
            continue
        theirs = float32(theirs) if isinstance(theirs, float) else theirs
        assert theirs == value, f"{name}'s {argument} is {value}, PyTorch has {theirs}"


def scheduler_for(name, arguments, lr):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    if name == "constant":
        return optimizer, lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    if name == "one_cycle":
        arguments = {"max_lr": lr, **arguments}
    return optimizer, CLASSES[name](optimizer, **arguments)


def rates(name, arguments, lr, steps):
    """By the closed form, which the rates of the steps taken one after the other have to agree with."""
    optimizer, scheduler = scheduler_for(name, arguments, lr)
    taken = []
    for step in range(steps):
        taken.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < steps:
            scheduler.step()
    if not hasattr(scheduler, "_get_closed_form_lr"):
        return taken  # these compute each rate from the step alone
    closed = []
    for scheduler.last_epoch in range(steps):
        closed += scheduler._get_closed_form_lr()
    for step, (one, other) in enumerate(zip(taken, closed)):
        assert abs(one - other) <= 1e-9 * max(closed), f"{name} {arguments}, step {step}: {one} or {other}"
    return closed


def plateau(arguments, lr, given):
    """What the scheduler has after each metric: the rate, the best, and its two counters."""
    optimizer, scheduler = scheduler_for("reduce_on_plateau", arguments, lr)
    records = []
    for metric in given:
        scheduler.step(metric)
        rate = optimizer.param_groups[0]["lr"]
        records.append((rate, scheduler.best, scheduler.num_bad_epochs, scheduler.cooldown_counter))
    return list(zip(*records))


def cases(name):
    """The defaults, each parameter off its default, and the combinations."""
    others, combinations = SCHEDULES[name]
    yield {}
    for parameter, value in others.items():
        yield {**NEEDS.get((name, parameter), {}), parameter: value}
    yield from combinations


def header():
    assert list_rows("schedule") == list(SCHEDULES), "the list in schedule.h has other rows"
    # Base rates and the order of calls, which PyTorch warns of, are as they are meant here.
    warnings.filterwarnings("ignore", message=".*lr_scheduler.*", category=UserWarning)
    out = Header(
        "schedule",
        ["clgrad/schedule.h", "math.h"],
        f"Source:\n * torch.optim.lr_scheduler of PyTorch {torch.__version__.split('+')[0]}.",
        DECLARATION,
    )
    for name, (others, _) in SCHEDULES.items():
        rows = row_parameters(name)
        types = {parameter: kind for parameter, (kind, _) in rows.items()}
        defaults = {parameter: value for parameter, (_, value) in rows.items()}
        if name in CLASSES:
            check_defaults(name, keywords(name, types, defaults))
        assert set(others) == set(defaults), f"{name}: a parameter is never off its default"
        for case in cases(name):
            label = ", ".join([name] + [f"{parameter} {value}" for parameter, value in case.items()])
            case = dict(case)
            lr, given = case.pop("lr", 0.1), metrics(case.pop("metrics", "losses"))
            options = {**defaults, **{parameter: float32(value) for parameter, value in case.items()}}
            arguments = keywords(name, types, options)
            if name == "reduce_on_plateau":
                rate, best, bad, cooldown = plateau(arguments, lr, given)
            else:
                rate = rates(name, arguments, lr, arguments.get("total_steps", 110))
                given = best = bad = cooldown = None
            out.entry(
                f'"{label}"',
                f"CLGRAD_SCHEDULE_{name.upper()}",
                parameters_text(list(options.values())),
                lr,
                len(rate),
                out.array("double", rate),
                out.array("double", given),
                out.array("double", best),
                out.array("uint32_t", bad),
                out.array("uint32_t", cooldown),
            )
    return out
