"""What the benchmark measures, what each figure must reach, and what its floor is."""
from dataclasses import dataclass, field


@dataclass
class Case:
    """name is what the table calls it, work what the sides are asked for (by default the same). targets: "peer", how
    many times as fast as the peer; "floor" and "blas", the share of the floor's and of OpenBLAS's speed; "seconds",
    absolutely. tolerance: of the error relative to the largest value, or of the 2-norm where norm is set."""
    name: str
    work: str = ""
    bytes: int = 0  # moved, at least: the floor is a copy that moves as many
    flops: int = 0  # of matrix products: the floor is the largest product's rate
    blas: str = ""  # the same products, by OpenBLAS
    targets: dict = field(default_factory=dict)
    tolerance: float = 1e-5
    norm: bool = False
    forms: str = ""  # what the variants of the peer that are tried begin with
    compiled: bool = False  # whether torch.compile is measured too

    def __post_init__(self):
        self.work = self.work or self.name

    @property
    def group(self):
        return self.name.split("/")[0]


PEAK = "1024x1024x1024"  # the product whose rate counts as the device's peak
PEAK_FLOPS = 2 * 1024**3
RELU_CLASS = ("relu", "leaky_relu", "relu6")
ACTIVATIONS = RELU_CLASS + ("sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "mish", "elu", "softplus", "hardswish",
                            "hardsigmoid", "exp", "log")


def elementwise(count, activations=ACTIVATIONS):
    for activation in activations:
        targets = {"peer": 1.0} if count >= 1 << 20 else {}
        if activation in RELU_CLASS and count == 1 << 24:
            targets["floor"] = 0.9
        for direction, arrays in (("forward", 2), ("backward", 3)):
            yield Case(f"elementwise/{count}/{activation}/{direction}", bytes=4 * arrays * count, targets=targets)


def loss(rows, columns):
    for name in ("mse", "l1", "bce_with_logits", "cross_entropy"):
        moved = 4 * rows * (2 * columns + 1) if name == "cross_entropy" else 12 * rows * columns
        yield Case(f"loss/{name}/{rows}x{columns}", bytes=moved, targets={"peer": 1.3})


def dense(batch, out, inputs):
    for direction, products in (("forward", 1), ("backward", 2)):
        sizes = f"{batch}x{out}x{inputs}"
        yield Case(f"dense/{direction}/{sizes}", blas=f"blas/{direction}/{sizes}",
                   flops=2 * products * batch * out * inputs, targets={"blas": 0.9})


def optimizer(count):
    targets = {100_000: {"peer": 2.0}, 20_000_000: {"floor": 0.9}}.get(count, {})
    # sgd reads gradient, parameter and momentum, and writes the last two; adamw has one more of those
    for name, arrays in (("sgd", 5), ("adamw", 7)):
        yield Case(f"optimizer/{name}/{count}", bytes=4 * arrays * count, targets=targets, tolerance=1e-3)


def step(widths, batch, target=None, optimizers=("sgd", "adamw"), name="", forms="", compiled=False):
    """The products: x W^T and dz^T x of every layer, and dz W of all but the first."""
    weights = [a * b for a, b in zip(widths, widths[1:])]
    flops = 2 * batch * (3 * sum(weights) - weights[0])
    for optimizer in optimizers:
        work = f"step/{optimizer}/{'-'.join(map(str, widths))}/{batch}"
        yield Case(name or work, work=work, flops=flops, targets={"peer": target} if target else {}, norm=True,
                   tolerance=1e-3 if optimizer == "sgd" else 2e-2, forms=forms, compiled=compiled)


def growth():
    for power in range(13):
        yield from step((784, 512, 256, 10), 1 << power, optimizers=("sgd",), name=f"growth/batch/{1 << power}",
                        forms="fused,none")
    for power in range(6, 13):
        width = 1 << power
        yield from step((784, width, width, 10), 128, optimizers=("sgd",), name=f"growth/width/{width}",
                        forms="fused,none")


def full():
    for count in (1 << 16, 1 << 20, 1 << 24):
        yield from elementwise(count)
    yield from loss(1024, 1000)
    yield from loss(128, 10)
    for sizes in ((64, 128, 784), (128, 512, 784), (512, 512, 512), (1024, 1024, 1024), (256, 4096, 1024)):
        yield from dense(*sizes)
    for count in (100_000, 1_000_000, 20_000_000):
        yield from optimizer(count)
    yield from step((784, 128, 10), 64, 1.5, compiled=True)
    yield from step((784, 512, 256, 10), 128, 1.5, compiled=True)
    yield from step((1024, 4096, 4096, 10), 256, 1.2, compiled=True)
    yield Case("epoch/training", work="epoch/784-128-10/64", targets={"peer": 1.5}, tolerance=0.1)
    yield Case("epoch/whole-program", work="epoch/784-128-10/64", targets={"peer": 1.5}, tolerance=0.1)
    yield from growth()
    yield Case("start/warm", targets={"seconds": 0.3})
    yield Case("start/cold", targets={"seconds": 10})


def smoke():
    """One of each that the reference device can do in no time; no figure of theirs means anything."""
    for cases in (elementwise(1000, ("relu", "tanh")), loss(16, 10), dense(8, 16, 24), optimizer(1000),
                  step((24, 16, 8, 4), 8)):
        for case in cases:
            case.targets = {}
            yield case
