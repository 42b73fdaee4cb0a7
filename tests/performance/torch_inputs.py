"""Inputs of the benchmark, by the formula of bench.c."""
import numpy
import torch


def bits(stream, count):
    i = numpy.arange(count, dtype=numpy.uint32)
    with numpy.errstate(over="ignore"):
        b = i * numpy.uint32(0x9E3779B1) + numpy.uint32(stream * 0x85EBCA77 & 0xFFFFFFFF)
        b = (b ^ (b >> 15)) * numpy.uint32(0x2C1B3C6D)
        b = (b ^ (b >> 12)) * numpy.uint32(0x297A2D39)
    return (b ^ (b >> 15)) >> 8


def numbers(stream, low, high, shape, device="cpu"):
    values = low + (high - low) * (bits(stream, numpy.prod(shape, dtype=numpy.int64)) * 2.0**-24)
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape)).to(device)


def classes(stream, count, classes, device="cpu"):
    return torch.from_numpy((bits(stream, count) % classes).astype(numpy.int64)).to(device)
