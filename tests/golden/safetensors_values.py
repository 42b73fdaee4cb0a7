#!/usr/bin/env python3
"""Writes the *.safetensors files beside this one with the public Python package. See README.md."""

import pathlib
import sys

import numpy
import safetensors.numpy

here = pathlib.Path(__file__).parent

# Every dtype of NumPy's that the format has, no dimension, no element, names that JSON has to escape.
values = numpy.array([1.5, -0.0, numpy.inf, numpy.nan, 2.0**-149, 3.25], numpy.float32)
arrays = {
    "matrix": values.reshape(2, 3),
    "number": numpy.array(-7.75, numpy.float32),
    "nothing": numpy.zeros((0, 4), numpy.float32),
    'na"me\\ \u00e9\u0007': numpy.array([0.1], numpy.float32),
}
for dtype in "bool uint8 int8 uint16 int16 float16 uint32 int32 uint64 int64 float64".split():
    arrays["of " + dtype] = numpy.arange(5).astype(dtype)
strings = {"made by": "Python", "\u00e9": "\u4e2d \"quoted\"", "empty": ""}

# Parameters of a network 3 -> dense 2 -> batch_norm -> prelu -> dense 2 without a bias, as test_checkpoint_files.c has it.
parameters = {
    "layers.0.weight": numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 8,
    "layers.0.bias": numpy.array([0.5, -0.5], numpy.float32),
    "layers.1.weight": numpy.array([1.25, 0.75], numpy.float32),
    "layers.1.bias": numpy.array([0.125, 0.25], numpy.float32),
    "layers.1.running_mean": numpy.array([-1, 2], numpy.float32),
    "layers.1.running_var": numpy.array([0.5, 4], numpy.float32),
    "layers.1.num_batches_tracked": numpy.array(12, numpy.int64),
    "layers.2.weight": numpy.array([0.375], numpy.float32),
    "layers.3.weight": numpy.array([[1, numpy.nan], [-1, 3]], numpy.float32),
}

if __name__ == "__main__":
    safetensors.numpy.save_file(arrays, here / "python.safetensors", strings)
    safetensors.numpy.save_file(parameters, here / "python_parameters.safetensors")
    for name in ("python", "python_parameters"):
        print(name, (here / (name + ".safetensors")).stat().st_size, "bytes", file=sys.stderr)
