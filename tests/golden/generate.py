#!/usr/bin/env python3
"""Writes the golden values, one header a family, beside this file. See README.md.

    python3 tests/golden/generate.py                  every header
    python3 tests/golden/generate.py activation loss  these
"""

import os
import sys
import warnings

# One path through PyTorch and its BLAS whatever this processor offers, so that runs on different ones
# give the same bytes as far as the C library does.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["OPENBLAS_CORETYPE"] = "Core2"
sys.dont_write_bytecode = True

import torch

import activation_values
import clip_values
import dense_values
import gated_values
import loss_values
import network_values
import noise_values
import normalization_values
import optimizer_values
import random_values
import schedule_values
import softmax_values

torch.set_num_threads(1)
# kl_div's mean over the elements, which loss.h means too, is not the textbook's; PyTorch says so each time.
warnings.filterwarnings("ignore", message="reduction: 'mean' divides the total loss")

FAMILIES = {
    "activation": activation_values,
    "softmax": softmax_values,
    "gated": gated_values,
    "noise": noise_values,
    "normalization": normalization_values,
    "loss": loss_values,
    "dense": dense_values,
    "optimizer": optimizer_values,
    "clip": clip_values,
    "schedule": schedule_values,
    "random": random_values,
    "network": network_values,
}

for name in sys.argv[1:] or FAMILIES:
    family = FAMILIES[name]
    for header in family.headers() if hasattr(family, "headers") else [family.header()]:
        header.write()
