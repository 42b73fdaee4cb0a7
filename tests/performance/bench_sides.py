"""The programs that the benchmark talks with. All have the same five questions; see bench.h."""
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

CHECKED_REPETITIONS = 3


class Failed(Exception):
    """A side's own words."""


class Side:
    """A program that speaks the protocol."""

    def __init__(self, command, environment=None):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env={**os.environ, **(environment or {})})
        self.device = self.ask("DEVICE")

    def ask(self, question):
        try:
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().rstrip("\n")
        except BrokenPipeError:
            answer = ""
        status, _, text = answer.partition(" ")
        if status != "ok":
            raise Failed(text.strip() or f"{self.command[0]} ended")
        return text.strip()

    def open(self, work):
        return self.ask("CASE " + work).split()

    def choose(self, variant):
        self.ask(f"VARIANT {variant}")

    def run(self, seconds):
        """Microseconds of one repetition."""
        return float(self.ask(f"RUN {seconds}").split()[0])

    def write_result(self, path):
        self.ask("RESULT " + path)

    def compare(self, path):
        """Errors relative to the largest value and to the 2-norm."""
        return tuple(map(float, self.ask("COMPARE " + path).split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class TrainSide:
    """samples/train on MNIST: an epoch as it times it itself, or the whole program from start to end."""

    EPOCH = re.compile(r"^epoch .* loss (\S+) +(\d+) samples/s", re.MULTILINE)
    ROWS = 60_000

    def __init__(self, build, device, whole):
        self.command = [os.path.join(build, "samples", "train")] + (["--device", device] if device else [])
        self.whole = whole

    def train(self, epochs):
        data = os.environ.get("CLGRAD_DATA")
        if not data:
            raise Failed("CLGRAD_DATA does not say where the folder mnist is")
        hidden = "-".join(self.widths[1:-1]).replace("-", ",")
        command = self.command + ["--data", os.path.join(data, "mnist"), "--layers", hidden, "--batch", self.batch,
                                  "--epochs", str(epochs), "--schedule", "constant"]
        begin = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        self.wall = time.perf_counter() - begin
        if done.returncode:
            raise Failed((done.stderr or done.stdout).strip().replace("\n", " "))
        return [(float(loss), self.ROWS / float(rate)) for loss, rate in self.EPOCH.findall(done.stdout)]

    def open(self, work):
        _, widths, self.batch = work.split("/")
        self.widths = widths.split("-")
        self.loss = self.train(CHECKED_REPETITIONS)[-1][0]
        return ["only"]

    def choose(self, variant):
        pass

    def run(self, _):
        if self.whole:
            self.train(1)
            return 1e6 * self.wall
        return 1e6 * statistics.median(seconds for _, seconds in self.train(3)[1:])  # the first starts cold

    def compare(self, path):
        """The loss of the last epoch; order and initial weights differ."""
        import array
        with open(path, "rb") as file:
            wanted = array.array("f", file.read())[0]
        error = abs(self.loss - wanted) / wanted
        return error, error

    def close(self):
        pass


class StartSide:
    """A program from its start to its end, with caches that are full (warm) or empty (cold)."""

    CACHES = ("POCL_CACHE_DIR", "XDG_CACHE_HOME")

    def __init__(self, command):
        self.command = command
        self.folder = None

    def once(self):
        environment = {**os.environ, **{name: os.path.join(self.folder, name) for name in self.CACHES}}
        for name in self.CACHES:
            os.makedirs(environment[name], exist_ok=True)
        begin = time.perf_counter()
        done = subprocess.run(self.command, capture_output=True, text=True, env=environment)
        seconds = time.perf_counter() - begin
        if done.returncode:
            raise Failed((done.stderr or done.stdout).strip().replace("\n", " "))
        return 1e6 * seconds

    def clear(self):
        if self.folder:
            shutil.rmtree(self.folder)
        self.folder = tempfile.mkdtemp(prefix="clgrad-bench-")

    def open(self, work):
        self.cold = work == "start/cold"
        self.clear()
        self.once()
        return ["only"]

    def choose(self, variant):
        pass

    def run(self, _):
        if self.cold:
            self.clear()
        return self.once()

    def close(self):
        if self.folder:
            shutil.rmtree(self.folder)
            self.folder = None
