"""The side of the benchmark that is PyTorch; the protocol is in bench.h. A variant is a number of threads and one of
the case's forms. torch_side.py DEVICE, "cpu" or "cuda"; torch_side.py DEVICE first-step does one training step."""
import gc
import os
import sys
import time

import torch

import torch_cases
import torch_step

CHECKED_REPETITIONS = 3
GROUPS = {"elementwise": torch_cases.elementwise, "loss": torch_cases.loss, "dense": torch_cases.dense,
          "optimizer": torch_cases.optimizer, "step": torch_step.step, "epoch": torch_step.epoch}


def thread_counts():
    """1, 2, 4, ... and all the cores there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    counts = [1]
    while 2 * counts[-1] <= cores:
        counts.append(2 * counts[-1])
    return counts if counts[-1] == cores else counts + [cores]


class Side:
    def __init__(self, device):
        self.device = device
        self.threads = thread_counts() if device == "cpu" else [1]
        self.variants, self.work, self.results, self.seconds = [], None, [], 0

    def DEVICE(self, _):
        name = torch.cuda.get_device_name() if self.device == "cuda" else "CPU"
        return f"PyTorch {torch.__version__}; {name}; {torch.get_num_threads()} threads unless set"

    def CASE(self, name):
        group, *words = name.split("/")
        self.work = None
        if group not in GROUPS:
            raise ValueError("this side has no such case")
        forms = GROUPS[group](words, self.device)
        torch.set_num_threads(self.threads[-1])
        work = next(iter(forms.values()))(True)
        for _ in range(CHECKED_REPETITIONS):
            work()
        self.results = [result.detach().cpu().numpy().copy() for result in work.results()]
        self.variants = [(f"{form},threads={threads}", make, threads)
                         for form, make in forms.items() for threads in reversed(self.threads)]
        return " ".join(name for name, _, _ in self.variants)

    def VARIANT(self, number):
        _, make, threads = self.variants[int(number)]
        self.work, self.seconds = None, 0
        torch.set_num_threads(threads)
        self.work = make(False)

    def repeat(self, count):
        for _ in range(count):
            self.work()
        if self.device == "cuda":
            torch.cuda.synchronize()

    def time(self, count):
        begin = time.perf_counter()
        self.repeat(count)
        return (time.perf_counter() - begin) / count

    def RUN(self, wanted):
        """As run in bench.c."""
        wanted, count = float(wanted), 1
        if not self.seconds:
            self.seconds = self.time(1)
        while self.seconds * count < wanted / 4:
            self.seconds = self.time(count)
            count *= 2
        count = max(int(wanted / self.seconds), 1)
        self.repeat(1 + count // 10 if count > 1 else 0)
        self.seconds = self.time(count)
        return f"{1e6 * self.seconds:.6g} {count}"

    def RESULT(self, path):
        with open(path, "wb") as file:
            for result in self.results:
                file.write(result.astype("float32").tobytes())


def serve(side):
    gc.disable()
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        try:
            answer = getattr(side, command)(argument)
            print("ok", answer if answer is not None else "", flush=True)
        except Exception as error:  # whatever it is, the driver is told
            print("failed", type(error).__name__, str(error).replace("\n", " "), flush=True)
        gc.collect()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        torch_step.step(["sgd", "784-128-10", "64"], sys.argv[1])["fused,none"](True)()
    else:
        serve(Side(sys.argv[1]))
