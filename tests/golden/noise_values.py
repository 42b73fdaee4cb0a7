"""Dropout's masks and RReLU's slopes from random_values.py's Philox, by noise.h in exact arithmetic."""

from fractions import Fraction

import random_values
from emit import Header, float32, float_text

DECLARATION = """
typedef struct golden_noise {
    uint64_t seed, stream;
    size_t count;
    const uint32_t *words;
    float p;
    const int *dropped;   /* 1 where element i is */
    float lower, upper;
    const double *slopes; /* of RReLU */
} golden_noise;
"""

# seed, stream, count, p, lower, upper
CASES = [
    (0, 0, 17, 0.5, 1 / 8, 1 / 3),
    (1, 0, 64, 0.1, 0.0, 1.0),
    (1, 1, 64, 0.1, -0.5, 0.25),
    (42, 2**40, 30, 0.9, 0.3, 0.3),
    (2**63 + 5, 7, 33, 0.25, -3e38, 3e38),
    (2**64 - 1, 2**64 - 1, 41, 1 / 3, 1e-20, 2e-20),
    (5, 6, 9, 0.0, 0.1, 0.2),
    (5, 6, 9, 1.0, 0.1, 0.2),
]


def threshold(p):
    """p 2^32 rounded to the nearest whole number; no case lies half way."""
    product = Fraction(p) * 2**32
    assert abs(product - round(product)) != Fraction(1, 2)
    return round(product)


def header():
    random_values.check_known_answers()
    out = Header(
        "noise",
        ["stddef.h", "stdint.h"],
        "Source: Philox4x32-10 in Python\n * integers, and fractions.",
        DECLARATION,
    )
    for seed, stream, count, p, lower, upper in CASES:
        p, lower, upper = float32(p), float32(lower), float32(upper)
        words = random_values.words(seed, stream, count)[:count]
        low, width = Fraction(lower), Fraction(upper) - Fraction(lower)
        slopes = [float(low + width * Fraction(word >> 8, 2**24)) for word in words]
        out.entry(
            f"UINT64_C({seed})",
            f"UINT64_C({stream})",
            count,
            out.array("uint32_t", [f"0x{word:08x}" for word in words]),
            float_text(p),
            out.array("int", [int(word < threshold(p)) for word in words]),
            float_text(lower),
            float_text(upper),
            out.array("double", slopes),
        )
    return out
