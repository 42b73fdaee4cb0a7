"""Whether the machine did something else meanwhile. PyTorch's threads wait for each other at every operation and suffer
more from a stranger on one core than clgrad's do, so that figures of a busy machine would favour clgrad."""
import os
import time

TICKS = os.sysconf("SC_CLK_TCK")


def all_seconds():
    """CPU time that anybody used, and what a hypervisor took away; None where /proc does not say."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / TICKS


def own_seconds(processes):
    """CPU time of this process, of those that it waited for, and of these."""
    ticks = 0
    for process in processes:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # its own user and system time, and that of its children
    return sum(os.times()[:4]) + ticks / TICKS


class Watch:
    """Begins when it is made."""

    def __init__(self, processes):
        self.processes = processes
        self.begin = time.monotonic()
        self.all = all_seconds()
        self.own = own_seconds(processes) if self.all is not None else 0

    def strangers(self):
        """The share of all cores that others had since the beginning; None where that cannot be known."""
        if self.all is None:
            return None
        others = (all_seconds() - self.all) - (own_seconds(self.processes) - self.own)
        return max(others, 0) / ((time.monotonic() - self.begin) * os.cpu_count())
