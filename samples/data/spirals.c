/* Arms of a spiral, each a class: two features, and no straight line that tells the classes apart. */
#include "dataset.h"

#include <math.h>

enum { ARMS = 3 };

#define PI 3.14159265358979323846

/* So far out that either coordinate has a variance of about 1, as standardised features have. */
#define REACH 2.45
#define TURNS 0.9
#define NOISE 0.11

/* Uniform in [0, 1). */
static double uniform(uint64_t *state)
{
    return (double)(dataset_random(state) >> 11) * 0x1p-53;
}

/* A point of an arm: somewhere between its beginning in the middle and its end, and strayed from it (Box and
 * Muller, "A note on the generation of random normal deviates", 1958). */
static void draw_point(size_t arm, uint64_t state, float at[2])
{
    const double along = sqrt(0.02 + 0.98 * uniform(&state)); /* denser outwards, where there is more room */
    const double angle = 2 * PI * ((double)arm / ARMS + TURNS * along);
    const double stray = NOISE * sqrt(-2 * log(1 - uniform(&state))), way = 2 * PI * uniform(&state);
    at[0] = (float)(REACH * along * cos(angle) + stray * cos(way));
    at[1] = (float)(REACH * along * sin(angle) + stray * sin(way));
}

static bool name(dataset *set, dataset_error *error)
{
    set->feature_names = dataset_allocate(set->features, sizeof *set->feature_names, error);
    if (!set->feature_names) {
        return false;
    }
    for (size_t i = 0; i < set->features; ++i) {
        set->feature_names[i] = dataset_join_text(i == 0 ? "x" : "y", "", "", error);
        if (!set->feature_names[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < set->class_count; ++i) {
        const char digit[] = {(char)('1' + i), '\0'};
        set->class_names[i] = dataset_join_text("arm ", digit, "", error);
        if (!set->class_names[i]) {
            return false;
        }
    }
    return true;
}

/* Row i depends on seed, part and i alone; the arms take turns. */
static bool make_part(dataset *set, size_t rows, uint64_t seed, uint64_t part, dataset_error *error)
{
    if (!dataset_create(set, rows, 2, ARMS, error) || !name(set, error)) {
        return false;
    }
    for (size_t row = 0; row < rows; ++row) {
        set->classes[row] = (int32_t)(row % ARMS);
        draw_point(row % ARMS, dataset_stream(seed, part, row), set->x + 2 * row);
    }
    return true;
}

bool dataset_make_spirals(size_t train_rows, size_t test_rows, uint64_t seed, dataset_pair *pair,
                          dataset_error *error)
{
    return dataset_make_pair(make_part, "points", train_rows, test_rows, seed, pair, error);
}
