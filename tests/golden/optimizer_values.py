"""Trajectories of torch.optim in float64 over 1,000 steps, and of Lion, which torch.optim lacks."""

import inspect
import re

import torch

from emit import PUBLIC, Header, draw, float32, list_rows, parameters_text

DECLARATION = """
enum { GOLDEN_OPTIMIZER_COUNT = %d, GOLDEN_OPTIMIZER_RECORDS = %d };

/* The steps after which a trajectory has the parameters. */
static const uint32_t golden_optimizer_steps[GOLDEN_OPTIMIZER_RECORDS] = {%s};

typedef struct golden_optimizer {
    const char *label;
    clgrad_optimizer_kind kind;
    float parameters[8];      /* in the order of the list's row */
    const float *initial;     /* [GOLDEN_OPTIMIZER_COUNT] */
    const double *trajectory; /* [GOLDEN_OPTIMIZER_RECORDS, GOLDEN_OPTIMIZER_COUNT] */
    const double *state;      /* [slots, GOLDEN_OPTIMIZER_COUNT] after the last step; NULL without slots */
} golden_optimizer;

/* The gradient at a step: exact numbers in float32, the same in optimizer_values.py (gradient). */
static inline float golden_optimizer_gradient(uint32_t step, uint32_t i)
{
    uint32_t h = (step * GOLDEN_OPTIMIZER_COUNT + i) * 0x9e3779b1u;
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    const float noise = (float)((int32_t)(h >> 16) - 32768) * 0x1p-15f;
    switch (i) {
    case 1:
        return 8 * noise;
    case 3:
        return 0;
    case 4:
        return step %% 5 == 0 ? noise : 0;
    case 5:
        return 0.5f + noise / 4;
    case 6:
        return step %% 2 == 0 ? -0.5f - noise / 4 : 0.5f + noise / 4;
    case 7:
        return noise * 0x1p-20f;
    default:
        return noise;
    }
}
"""

COUNT = 8
RECORDS = (1, 2, 3, 6, 10, 100, 1000)


def gradient(step, i):
    """Noise; large noise; none at all; mostly none; one sign; a new sign at every step; small noise."""
    h = (step * COUNT + i) * 0x9E3779B1 % 2**32
    h = (h ^ (h >> 16)) * 0x85EBCA6B % 2**32
    h = (h ^ (h >> 13)) * 0xC2B2AE35 % 2**32
    noise = ((h >> 16) - 32768) / 2**15
    special = {
        1: 8 * noise,
        3: 0.0,
        4: noise if step % 5 == 0 else 0.0,
        5: 0.5 + noise / 4,
        6: (0.5 + noise / 4) * (1 if step % 2 else -1),
        7: noise / 2**20,
    }
    return special.get(i, noise)


class Lion:
    """Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2."""

    def __init__(self, tensors, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        (self.theta,) = tensors
        self.lr, self.betas, self.weight_decay, self.maximize = lr, betas, weight_decay, maximize
        self.m = torch.zeros_like(self.theta)
        self.state = {self.theta: {"exp_avg": self.m}}

    @torch.no_grad()
    def step(self):
        g = -self.theta.grad if self.maximize else self.theta.grad
        c = self.betas[0] * self.m + (1 - self.betas[0]) * g
        self.theta -= self.lr * (torch.sign(c) + self.weight_decay * self.theta)
        self.m.copy_(self.betas[1] * self.m + (1 - self.betas[1]) * g)


def sgd_state(state, options):
    return [state["momentum_buffer"]] if options["momentum"] else []


def averages(*names):
    """The arrays of these names, in the order of the slots."""
    return lambda state, options: [state[name] for name in names]


def adam_state(state, options):
    names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * bool(options["amsgrad"])
    return [state[name] for name in names]


def rmsprop_state(state, options):
    """Centered, clgrad keeps the variance in the place of the average of the square."""
    result = [state["square_avg"]]
    if options["centered"]:
        result[0] = state["square_avg"] - state["grad_avg"] ** 2
    if options["momentum"]:
        result.append(state["momentum_buffer"])
    if options["centered"]:
        result.append(state["grad_avg"])
    return result


# What torch.optim passes in pairs.
PAIRS = {
    "beta1": ("betas", 0),
    "beta2": ("betas", 1),
    "etaminus": ("etas", 0),
    "etaplus": ("etas", 1),
    "step_min": ("step_sizes", 0),
    "step_max": ("step_sizes", 1),
}

MOMENTUM = {"momentum": 0.9}

# A row of the list: the class, its state in the order of the slots, a value off the default for each
# parameter, which is tried alone (with what it needs, if it needs something), and further combinations.
ADAM = dict(lr=0.02, beta1=0.8, beta2=0.95, eps=1e-3, weight_decay=0.05)
OPTIMIZERS = {
    "sgd": (
        torch.optim.SGD,
        sgd_state,
        dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.05, nesterov=1, maximize=1),
        [
            dict(lr=0.1, weight_decay=0.05, maximize=1),
            dict(lr=0.05, momentum=0.9, weight_decay=0.05),
            dict(lr=0.05, momentum=0.8, dampening=0.3, weight_decay=0.05),
            dict(lr=0.05, momentum=0.9, weight_decay=0.05, nesterov=1),
            dict(lr=0.05, momentum=0.8, dampening=-0.5, weight_decay=0.05, maximize=1),
            dict(lr=0.0, momentum=0.9),
        ],
    ),
    "adam": (
        torch.optim.Adam,
        adam_state,
        dict(ADAM, amsgrad=1, maximize=1),
        [
            dict(ADAM),
            dict(ADAM, amsgrad=1, maximize=1),
            dict(lr=0.02, beta2=0.9, amsgrad=1),
            dict(lr=0.01, beta1=0.0),
            dict(lr=0.01, beta1=0.0, beta2=0.0, eps=0.1),
        ],
    ),
    "adamw": (
        torch.optim.AdamW,
        adam_state,
        dict(ADAM, amsgrad=1, maximize=1),
        [
            dict(ADAM),
            dict(ADAM, amsgrad=1, maximize=1),
            dict(lr=0.02, weight_decay=0.0),
            dict(lr=0.02, beta2=0.9, weight_decay=0.2, amsgrad=1),
        ],
    ),
    "adagrad": (
        torch.optim.Adagrad,
        averages("sum"),
        dict(lr=0.1, lr_decay=0.01, weight_decay=0.05, initial_accumulator_value=0.25, eps=1e-3, maximize=1),
        [
            dict(lr=0.2, lr_decay=0.5, weight_decay=0.1, initial_accumulator_value=0.25, eps=0.1),
            dict(lr=0.2, lr_decay=0.02, weight_decay=0.1, initial_accumulator_value=2.0, maximize=1),
        ],
    ),
    "adadelta": (
        torch.optim.Adadelta,
        averages("square_avg", "acc_delta"),
        dict(lr=0.3, rho=0.95, eps=1e-3, weight_decay=0.05, maximize=1),
        [
            dict(lr=0.5, rho=0.7, eps=1e-4, weight_decay=0.1, maximize=1),
            dict(rho=0.0),
            dict(lr=0.1, rho=1.0, eps=1e-2),
        ],
    ),
    "adamax": (
        torch.optim.Adamax,
        averages("exp_avg", "exp_inf"),
        dict(ADAM, maximize=1),
        [dict(ADAM), dict(ADAM, maximize=1), dict(lr=0.02, beta2=0.5, eps=0.25), dict(beta1=0.0, beta2=0.0)],
    ),
    "nadam": (
        torch.optim.NAdam,
        averages("exp_avg", "exp_avg_sq"),
        dict(ADAM, momentum_decay=0.02, decoupled_weight_decay=1, maximize=1),
        [
            dict(ADAM, momentum_decay=0.5),
            dict(ADAM, momentum_decay=0.0, decoupled_weight_decay=1, maximize=1),
            dict(lr=0.02, beta1=0.99, momentum_decay=2.0),
            dict(lr=0.02, beta1=0.999, momentum_decay=0.0),
            dict(lr=0.01, beta1=0.0),
        ],
    ),
    "radam": (
        torch.optim.RAdam,
        averages("exp_avg", "exp_avg_sq"),
        dict(ADAM, decoupled_weight_decay=1, maximize=1),
        [
            dict(ADAM),
            dict(ADAM, decoupled_weight_decay=1, maximize=1),
            dict(lr=0.02, beta2=0.9),
            dict(lr=0.02, beta2=0.7),
            dict(lr=0.002, beta2=0.5),
        ],
    ),
    "rmsprop": (
        torch.optim.RMSprop,
        rmsprop_state,
        dict(lr=0.03, alpha=0.9, eps=1e-3, weight_decay=0.05, momentum=0.9, centered=1, maximize=1),
        [
            dict(lr=0.001, momentum=0.8, centered=1),
            dict(lr=0.003, alpha=0.95, eps=1e-3, weight_decay=0.05, momentum=0.9, centered=1, maximize=1),
            dict(lr=0.003, alpha=0.5, centered=1, weight_decay=0.1),
            dict(lr=0.003, alpha=0.0),
        ],
    ),
    "rprop": (
        torch.optim.Rprop,
        averages("prev", "step_size"),
        dict(lr=0.1, etaminus=0.4, etaplus=1.3, step_min=1e-4, step_max=0.2, maximize=1),
        [
            dict(lr=0.05, etaminus=0.75, etaplus=1.1, step_min=0.03, step_max=0.06, maximize=1),
            dict(lr=0.5, step_min=1e-3, step_max=0.125),
            dict(lr=1e-4, step_min=0.01, step_max=1.0),
        ],
    ),
    "asgd": (
        torch.optim.ASGD,
        averages("ax"),
        dict(lr=0.1, lambd=0.01, alpha=0.5, t0=20, weight_decay=0.05, maximize=1),
        [
            dict(lr=0.1, lambd=0.1, alpha=1.5, t0=0, weight_decay=0.05, maximize=1),
            dict(lr=0.1, lambd=0.02, alpha=0.6, t0=50.5),
            dict(lr=0.05, lambd=0.02, alpha=0.0, t0=2),
        ],
    ),
    "lion": (
        Lion,
        averages("exp_avg"),
        dict(lr=0.01, beta1=0.8, beta2=0.95, weight_decay=0.05, maximize=1),
        [
            dict(lr=0.01, beta1=0.95, beta2=0.98, weight_decay=0.5, maximize=1),
            dict(lr=0.01, beta1=0.0, beta2=0.5),
        ],
    ),
}

# What some parameters need beside them to have an effect, or to be allowed.
NEEDS = {
    ("sgd", "dampening"): MOMENTUM,
    ("sgd", "nesterov"): MOMENTUM,
    ("nadam", "decoupled_weight_decay"): {"weight_decay": 0.05},
    ("radam", "decoupled_weight_decay"): {"weight_decay": 0.05},
}


def list_defaults(name):
    """The row's parameters and their defaults, in order, from the public header."""
    text = (PUBLIC / "optimizer.h").read_text()
    macro = re.search(rf"#define CLGRAD_OPTIMIZER_{name.upper()}_PARAMETERS\(P\)((?:.*\\\n)*.*)", text)
    lines = re.findall(r"P\((\w+), (\w+), ([-+.e\d]+)f,", macro[1])
    return {parameter: float32(float(value)) for _, parameter, value in lines}


def keywords(options):
    """Parameters by clgrad's names as torch.optim's arguments."""
    result = {}
    for parameter, value in options.items():
        if parameter in PAIRS:
            pair, index = PAIRS[parameter]
            result.setdefault(pair, [None, None])[index] = value
        elif parameter in ("nesterov", "amsgrad", "centered", "maximize", "decoupled_weight_decay"):
            result[parameter] = value != 0
        else:
            result[parameter] = value
    return {name: tuple(value) if isinstance(value, list) else value for name, value in result.items()}


def check_defaults(name, optimizer_class, defaults):
    """The list's defaults are torch.optim's."""
    signature = inspect.signature(optimizer_class.__init__).parameters
    for argument, value in keywords(defaults).items():
        theirs = signature[argument].default
        theirs = tuple(map(float32, theirs)) if isinstance(theirs, tuple) else float32(theirs)
        assert theirs == value, f"{name}'s {argument} is {value}, torch.optim has {theirs}"


def cases(name):
    """The defaults, each parameter off its default, and the combinations."""
    _, _, others, combinations = OPTIMIZERS[name]
    yield {}
    for parameter, value in others.items():
        yield {**NEEDS.get((name, parameter), {}), parameter: value}
    yield from combinations


def trajectory(optimizer_class, slots, options, initial):
    tensor = torch.tensor(initial, dtype=torch.float64, requires_grad=True)
    optimizer = optimizer_class([tensor], **keywords(options))
    records = []
    for step in range(1, RECORDS[-1] + 1):
        tensor.grad = torch.tensor([gradient(step, i) for i in range(COUNT)], dtype=torch.float64)
        optimizer.step()
        if step in RECORDS:
            records += tensor.tolist()
    state = [number for slot in slots(optimizer.state.get(tensor, {}), options) for number in slot.tolist()]
    return records, state or None


# For networks: the first parameters of the list's row; the others are 0.
SGD_PARAMETERS = ("lr", "momentum", "dampening", "weight_decay", "nesterov")


def sgd_parameters(options):
    return [float32(float(options.get(name, 0))) for name in SGD_PARAMETERS]


def sgd(tensors, parameters):
    return torch.optim.SGD(tensors, **keywords(dict(zip(SGD_PARAMETERS, parameters))))


def header():
    assert list_rows("optimizer") == list(OPTIMIZERS), "the list in optimizer.h has other rows"
    out = Header(
        "optimizer",
        ["clgrad/optimizer.h"],
        f"Source: torch.optim of\n * PyTorch {torch.__version__.split('+')[0]}, float64; "
        "lion: its paper's algorithm.",
        DECLARATION % (COUNT, len(RECORDS), ", ".join(map(str, RECORDS))),
    )
    # One parameter begins at 0, so that a gradient is seen alone.
    initial = draw("initial", COUNT, -2, 2)
    initial[2] = 0.0
    # torch.optim keeps some numbers of its own (ASGD's eta, NAdam's product) in the default type.
    default_type = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    for name, (optimizer_class, slots, others, _) in OPTIMIZERS.items():
        defaults = list_defaults(name)
        check_defaults(name, optimizer_class, defaults)
        assert set(others) == set(defaults), f"{name}: a parameter is never off its default"
        for case in cases(name):
            options = {**defaults, **{parameter: float32(value) for parameter, value in case.items()}}
            records, state = trajectory(optimizer_class, slots, options, initial)
            out.entry(
                '"%s"' % ", ".join([name] + [f"{parameter} {value:g}" for parameter, value in case.items()]),
                f"CLGRAD_OPTIMIZER_{name.upper()}",
                parameters_text(list(options.values())),
                out.array("float", initial),
                out.array("double", records),
                out.array("double", state),
            )
    torch.set_default_dtype(default_type)
    return out
