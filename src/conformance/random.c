/*
 * Random numbers and initialisers: the host makes them, so a device must hold the same bits.
 */
#include "conformance.h"

static void check_uniform(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    (void)setting;
    const clgrad_conf_pair tensor = clgrad_conf_output(run, 1, shape);
    CLGRAD_CONF_CALL(run, clgrad_random_uniform(run->context[side], 5, 7, -1.5f, 2, tensor.at[side]));
    clgrad_conf_compare_exact(run, "tensor", tensor);
}

static void check_normal(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    (void)setting;
    const clgrad_conf_pair tensor = clgrad_conf_output(run, 1, shape);
    CLGRAD_CONF_CALL(run, clgrad_random_normal(run->context[side], 5, 7, 0.5f, 2, tensor.at[side]));
    clgrad_conf_compare_exact(run, "tensor", tensor);
}

static void check_initializer(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const clgrad_initializer initializer = *(const clgrad_initializer *)setting;
    const clgrad_conf_pair tensor = clgrad_conf_output(run, 2, shape);
    CLGRAD_CONF_CALL(run, clgrad_random_initialize(run->context[side], initializer, 5, 7, tensor.at[side]));
    clgrad_conf_compare_exact(run, "weight", tensor);
}

void clgrad_conf_random(clgrad_conf_run *run)
{
    static const clgrad_conf_shape shapes[] = {{1, 1}, {3, 5}, {65, 63}, {257, 100}};
    if (clgrad_conf_begin(run, "random", "random_uniform", NULL, "exact", 0)) {
        clgrad_conf_lengths(run, &(clgrad_conf_case){check_uniform, NULL, "low=-1.5 high=2", "n"});
        clgrad_conf_end(run);
    }
    if (clgrad_conf_begin(run, "random", "random_normal", NULL, "exact", 0)) {
        clgrad_conf_lengths(run, &(clgrad_conf_case){check_normal, NULL, "mean=0.5 std=2", "n"});
        clgrad_conf_end(run);
    }
    for (int k = 0; k < CLGRAD_INITIALIZER_COUNT; k++) {
        const clgrad_initializer initializer = (clgrad_initializer)k;
        if (clgrad_conf_begin(run, "random", clgrad_initializer_name(initializer), NULL, "exact", 0)) {
            clgrad_conf_sizes(run, &(clgrad_conf_case){check_initializer, &initializer, "", "out in"}, shapes,
                              CLGRAD_CONF_COUNT(shapes));
            clgrad_conf_end(run);
        }
    }
}
