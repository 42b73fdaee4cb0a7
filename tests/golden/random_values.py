"""Philox4x32-10 in plain integers, its uniform numbers, and normal ones in 50-digit arithmetic (mpmath).

Written from Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, and
from the documentation in random.h of which word of which block makes element i.
"""

import mpmath

from emit import Header

DECLARATION = """
typedef struct golden_random {
    uint64_t seed, stream;
    size_t count;
    const double *uniform; /* in [0, 1) */
    const double *normal;  /* of mean 0 and standard deviation 1 */
} golden_random;
"""

MASK = 0xFFFFFFFF
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)


def philox(counter, key, rounds=10):
    """One block of four words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        product0, product1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1 = (product1 >> 32) ^ c1 ^ k0, product1 & MASK
        c2, c3 = (product0 >> 32) ^ c3 ^ k1, product0 & MASK
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return c0, c1, c2, c3


def check_known_answers():
    """The answers that the authors publish with their own implementation (Random123, kat_vectors)."""
    assert philox((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox((MASK,) * 4, (MASK,) * 2) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    pi_counter = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert philox(pi_counter, (0xA4093822, 0x299F31D0)) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


def words(seed, stream, count):
    """At least count words, whole blocks."""
    result = []
    for block in range((count + 3) // 4):
        counter = (block & MASK, block >> 32, stream & MASK, stream >> 32)
        result += philox(counter, (seed & MASK, seed >> 32))
    return result


def box_muller(word0, word1):
    radius = mpmath.sqrt(-2 * mpmath.log(mpmath.mpf(word0 + 1) / 2**32))
    angle = 2 * mpmath.pi * mpmath.mpf(word1) / 2**32
    return [float(radius * mpmath.cos(angle)), float(radius * mpmath.sin(angle))]


def header():
    check_known_answers()
    mpmath.mp.dps = 50
    out = Header(
        "random",
        ["stddef.h", "stdint.h"],
        "Source: Philox4x32-10 in Python\n * integers; Box and Muller's method by mpmath"
        f" {mpmath.__version__}, 50 digits.",
        DECLARATION,
    )
    cases = [(seed, stream, 13) for seed in (0, 1, 42, 2**63 + 5) for stream in (0, 3, 2**40)]
    for seed, stream, count in cases + [(7, 1, 1), (7, 2, 4), (2**64 - 1, 2**64 - 1, 66)]:
        drawn = words(seed, stream, count)
        uniform = [(word >> 8) * 2.0**-24 for word in drawn]
        normal = sum((box_muller(*drawn[i : i + 2]) for i in range(0, len(drawn), 2)), [])
        out.entry(
            f"UINT64_C({seed})",
            f"UINT64_C({stream})",
            count,
            out.array("double", uniform[:count]),
            out.array("double", normal[:count]),
        )
    return out
