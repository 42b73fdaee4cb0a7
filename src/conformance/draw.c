/*
 * Inputs: functions of a seed and the position, so that a shorter input is the beginning of a longer one.
 */
#include "conformance.h"

#include <math.h>

/* splitmix64 (Steele, Lea, Flood 2014), counted instead of iterated */
uint64_t clgrad_conf_hash(uint64_t seed, uint64_t position)
{
    uint64_t z = (seed << 40) + (position + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The sum of four uniform numbers, of variance 1 / 12 each: near enough to normal for inputs. */
void clgrad_conf_normal(float *numbers, size_t count, uint64_t seed, double spread)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = clgrad_conf_hash(seed, i);
        double sum = -2;
        for (int k = 0; k < 64; k += 16)
            sum += ((double)(bits >> k & 0xffff) + 0.5) * 0x1p-16;
        numbers[i] = (float)(spread * sqrt(3) * sum);
    }
}
