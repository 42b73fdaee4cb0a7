/*
 * Groups of parameters: options that differ between layers, and between weights and biases; layers that stay
 * as they are.
 */
#include "harness.h"
#include "network_oracle.h"

#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEP = 4 };

/* Four layers with a weight each, three of them with a bias. */
static clgrad_network_options grouped_network(clgrad_layer layers[DEEP])
{
    layers[0] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_TANH);
    layers[1] = clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM);
    layers[2] = clgrad_layer_defaults(CLGRAD_LAYER_PRELU);
    layers[3] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = DEEP;
    return options;
}

/* ---- by hand: every weight and every bias has an optimizer step of its own ---- */

/* A layer's weight or bias, and the group that it is in. */
typedef struct part {
    clgrad_tensor parameters, gradient;
    int32_t group;
} part;

static part part_of(const clgrad_network *network, const clgrad_layer *layers, size_t i)
{
    const size_t layer = i / 2;
    if (i % 2 == 0)
        return (part){clgrad_network_weight(network, layer), clgrad_network_weight_gradient(network, layer),
                      layers[layer].weight_group};
    return (part){clgrad_network_bias(network, layer), clgrad_network_bias_gradient(network, layer),
                  layers[layer].bias_group};
}

enum { PARTS = 2 * DEEP, MOST_SLOTS = 4 };

/* Their states, which begin at 0. */
typedef struct states {
    clgrad_tensor state[PARTS];
} states;

static states make_states(clgrad_context *context, const clgrad_network *network, const clgrad_layer *layers,
                          const clgrad_optimizer *groups)
{
    states all = {0};
    for (size_t i = 0; i < PARTS; i++) {
        const part p = part_of(network, layers, i);
        const size_t slots = p.group >= 0 ? clgrad_optimizer_slots(&groups[p.group]) : 0;
        if (p.parameters.buffer == NULL || slots == 0)
            continue;
        all.state[i] = matrix_with(context, slots, clgrad_tensor_count(p.parameters), NULL);
        assert_ok(context, clgrad_tensor_fill(context, all.state[i], 0));
    }
    return all;
}

static void step_by_hand(clgrad_context *context, clgrad_network *network, const clgrad_layer *layers,
                         const clgrad_optimizer *groups, uint64_t n, const states *all)
{
    for (size_t i = 0; i < PARTS; i++) {
        const part p = part_of(network, layers, i);
        if (p.parameters.buffer != NULL && p.group >= 0)
            assert_ok(context, clgrad_optimizer_step(context, &groups[p.group], n, p.gradient, p.parameters,
                                                     all->state[i]));
    }
}

/* Some steps with the groups of options against steps by hand, after which what is in no group is as before.
 */
static void check_groups(clgrad_context *context, const clgrad_network_options *options)
{
    clgrad_optimizer groups[CLGRAD_OPTIMIZER_MAX_GROUPS] = {options->optimizer};
    for (size_t i = 0; i < options->group_count; i++)
        groups[1 + i] = options->groups[i];
    clgrad_layer plain[DEEP];
    memcpy(plain, options->layers, sizeof plain);
    for (size_t i = 0; i < DEEP; i++)
        plain[i].weight_group = plain[i].bias_group = 0;
    clgrad_network_options alone = *options;
    alone.layers = plain;
    alone.group_count = 0;

    training t = start(context, options), by_hand = start(context, &alone);
    free(scatter_parameters(context, t.network, 5));
    free(scatter_parameters(context, by_hand.network, 5));
    float *initial = tensor_floats(context, clgrad_network_parameters(t.network));
    states all = make_states(context, by_hand.network, options->layers, groups);
    for (uint64_t n = 1; n <= 3; n++) {
        step(context, t);
        assert_ok(context, clgrad_network_backward(by_hand.network, by_hand.x, by_hand.target, by_hand.loss));
        step_by_hand(context, by_hand.network, options->layers, groups, n, &all);
        double *wanted = tensor_doubles(context, clgrad_network_parameters(by_hand.network));
        assert_near(context, clgrad_optimizer_describe(options->optimizer.kind)->name,
                    clgrad_network_parameters(t.network), wanted, 1e-6);
        free(wanted);
    }
    for (size_t i = 0; i < PARTS; i++) {
        const part p = part_of(t.network, options->layers, i);
        if (p.parameters.buffer == NULL)
            continue;
        const float *before = initial + p.parameters.offset;
        const size_t count = clgrad_tensor_count(p.parameters);
        float *now = tensor_floats(context, p.parameters);
        if (p.group < 0)
            assert_same_floats(now, before, count);
        else
            assert_true(memcmp(now, before, count * sizeof *now) != 0);
        free(now);
        tensor_free(context, all.state[i]);
    }
    free(initial);
    stop(context, t);
    stop(context, by_hand);
}

/* What the weights and biases of these layers belong to. */
static void assign(clgrad_layer layers[DEEP], const int32_t groups[PARTS])
{
    for (size_t i = 0; i < DEEP; i++) {
        layers[i].weight_group = groups[2 * i];
        layers[i].bias_group = groups[2 * i + 1];
    }
}

static const int32_t assignments[][PARTS] = {
    {0, 1, 0, 1, 0, 1, 0, 1},     /* biases apart */
    {2, 2, 1, 1, 1, 0, 0, 0},     /* layers apart */
    {-1, -1, 0, 0, -1, 0, 0, -1}, /* some stay as they are */
    {1, 1, 1, 1, 1, 1, 1, 1},     /* all in one that is not the first */
    {0, 0, 0, 0, 0, 0, 0, 0},     {-1, 2, 2, -1, 1, 1, -1, 0},
};

/* Every kind of optimizer with three groups: learning rates and, where there is one, weight decay differ. */
static void groups_have_options_of_their_own(clgrad_context *context)
{
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        clgrad_layer layers[DEEP];
        clgrad_network_options options = grouped_network(layers);
        clgrad_optimizer groups[2];
        options.optimizer = clgrad_optimizer_defaults((clgrad_optimizer_kind)kind);
        options.optimizer.lr = 0.01f;
        options.optimizer.weight_decay = 0.125f;
        groups[0] = groups[1] = options.optimizer;
        groups[0].weight_decay = 0;
        groups[1].lr = 0.05f;
        options.groups = groups;
        options.group_count = 2;
        for (size_t i = 0; i < COUNT(assignments); i++) {
            assign(layers, assignments[i]);
            check_groups(context, &options);
        }
    }
}

/* The state has as many slots as the group that wants most, be it the first or another or in no use. */
static void groups_with_different_slots(clgrad_context *context)
{
    for (int first = 0; first < 2; first++)
        for (size_t i = 0; i < COUNT(assignments); i++) {
            clgrad_layer layers[DEEP];
            clgrad_network_options options = grouped_network(layers);
            clgrad_optimizer groups[2];
            options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
            options.optimizer.lr = 0.1f;
            groups[0] = groups[1] = options.optimizer;
            (first ? &options.optimizer : &groups[1])->amsgrad = true;
            options.groups = groups;
            options.group_count = 2;
            assign(layers, assignments[i]);
            clgrad_network *network = build(context, &options);
            assert_int_equal(clgrad_network_state(network).shape[0], 3);
            clgrad_network_destroy(network);
            check_groups(context, &options);
        }
}

/* A group that nothing is in may want more state than the one that all are in: none, or fewer slots. */
static void an_empty_group_wants_more_state(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = grouped_network(layers);
    clgrad_optimizer more = options.optimizer;
    more.momentum = 0.9f;
    options.groups = &more;
    options.group_count = 1;
    for (size_t slots = 1; slots <= 3; slots += 2) {
        clgrad_network *network = build(context, &options);
        assert_int_equal(clgrad_network_state(network).shape[0], slots);
        clgrad_network_destroy(network);
        check_groups(context, &options);
        options.optimizer = more = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
        more.amsgrad = true;
    }
}

/* Some parameters stay as they are, the others have the one optimizer that there is. */
static void without_further_groups(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = grouped_network(layers);
    assign(layers, (int32_t[PARTS]){-1, 0, 0, -1, -1, 0, 0, 0});
    check_groups(context, &options);
    assign(layers, (int32_t[PARTS]){-1, -1, -1, -1, -1, -1, -1, -1});
    check_groups(context, &options);
    assign(layers, (int32_t[PARTS]){0, 0, 0, 0, 0, 0, 0, -1});
    check_groups(context, &options);
}

static void as_many_groups_as_possible(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = grouped_network(layers);
    clgrad_optimizer groups[CLGRAD_OPTIMIZER_MAX_GROUPS - 1];
    for (size_t i = 0; i < COUNT(groups); i++) {
        groups[i] = options.optimizer;
        groups[i].lr = 0.01f * (float)(i + 2);
    }
    options.groups = groups;
    options.group_count = COUNT(groups);
    assign(layers, (int32_t[PARTS]){7, 1, 2, 3, 4, 0, 6, 5});
    check_groups(context, &options);
}

/* Only the first step's gradient by the weight decay differs; the biases' gradient has none of it. */
static void no_weight_decay_on_biases(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = grouped_network(layers);
    for (size_t i = 0; i < DEEP; i++)
        layers[i].bias_group = 1;
    clgrad_optimizer rest = options.optimizer;
    options.optimizer.lr = rest.lr = 0.5f;
    options.optimizer.weight_decay = 0.5f;
    options.groups = &rest;
    options.group_count = 1;
    training t = start(context, &options);
    free(scatter_parameters(context, t.network, 5));
    double *before = tensor_doubles(context, clgrad_network_parameters(t.network));
    step(context, t);
    double *gradient = tensor_doubles(context, clgrad_network_gradients(t.network));
    for (size_t i = 0; i < PARTS; i++) {
        const part p = part_of(t.network, layers, i);
        if (p.parameters.buffer == NULL)
            continue;
        const size_t at = p.parameters.offset, count = clgrad_tensor_count(p.parameters);
        double *wanted = allocate(count, sizeof *wanted);
        for (size_t k = 0; k < count; k++)
            wanted[k] = before[at + k] - 0.5 * (gradient[at + k] + (i % 2 == 0 ? 0.5 * before[at + k] : 0));
        assert_near(context, i % 2 == 0 ? "weight" : "bias", p.parameters, wanted, 1e-6);
        free(wanted);
    }
    free(before);
    free(gradient);
    stop(context, t);
}

/* ---- changing options ---- */

/* set_group changes that group and no other; set_optimizer is set_group of group 0. */
static void options_of_a_group_may_change(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = grouped_network(layers);
    clgrad_optimizer other = options.optimizer;
    options.groups = &other;
    options.group_count = 1;
    for (size_t i = 0; i < DEEP; i++)
        layers[i].bias_group = 1;
    training t = start(context, &options);
    clgrad_optimizer still = options.optimizer, moving = options.optimizer;
    still.lr = 0;
    moving.lr = 0.5f;
    for (size_t stopped = 0; stopped < 2; stopped++) {
        assert_ok(context, clgrad_network_set_group(t.network, stopped, &still));
        if (stopped == 1)
            assert_ok(context, clgrad_network_set_optimizer(t.network, &moving));
        for (int n = 0; n < 2; n++) {
            float *before = tensor_floats(context, clgrad_network_parameters(t.network));
            step(context, t);
            for (size_t i = 0; i < PARTS; i++) {
                const part p = part_of(t.network, layers, i);
                if (p.parameters.buffer == NULL)
                    continue;
                float *now = tensor_floats(context, p.parameters);
                const size_t bytes = clgrad_tensor_count(p.parameters) * sizeof *now;
                assert_int_equal(memcmp(now, before + p.parameters.offset, bytes) == 0, i % 2 == stopped);
                free(now);
            }
            free(before);
        }
    }
    stop(context, t);
}

static void refused_changes_of_options(clgrad_context *context)
{
    const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_layer layers[DEEP];
    clgrad_network_options options = grouped_network(layers);
    clgrad_optimizer other = options.optimizer;
    options.groups = &other;
    options.group_count = 1;
    layers[0].weight_group = 1;
    training t = start(context, &options), same = start(context, &options);
    clgrad_optimizer wrong = options.optimizer;
    wrong.lr = 3;
    assert_refused(context, clgrad_network_set_group(t.network, 2, &wrong), argument,
                   "network_set_group: there is no group 2, the groups are 0 to 1");
    assert_refused(context, clgrad_network_set_group(t.network, SIZE_MAX, &wrong), argument, "no group");
    assert_refused(context, clgrad_network_set_group(t.network, 1, NULL), argument, "NULL");
    assert_int_equal(clgrad_network_set_group(NULL, 0, &wrong), argument);
    assert_int_equal(clgrad_network_set_optimizer(NULL, &wrong), argument);
    wrong.momentum = 0.5f;
    assert_refused(context, clgrad_network_set_group(t.network, 1, &wrong), argument,
                   "keeps 0 arrays of sgd state, sgd would need 1");
    wrong = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    assert_refused(context, clgrad_network_set_group(t.network, 1, &wrong), argument,
                   "the network trains with sgd, not with adam");
    wrong = options.optimizer;
    wrong.lr = -1;
    assert_refused(context, clgrad_network_set_group(t.network, 1, &wrong), argument, "lr is -1");
    step(context, t);
    step(context, same);
    void *wanted = tensor_contents(context, clgrad_network_parameters(same.network));
    assert_contents(context, clgrad_network_parameters(t.network), wanted);
    free(wanted);
    stop(context, t);
    stop(context, same);

    /* as many arrays of state, but of another kind */
    options.optimizer = other = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    clgrad_network *network = build(context, &options);
    wrong = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    assert_refused(context, clgrad_network_set_group(network, 1, &wrong), argument,
                   "the network trains with adam, not with adamw");
    assert_refused(context, clgrad_network_set_optimizer(network, &wrong), argument, "adamw");
    clgrad_network_destroy(network);
}

/* ---- what the device is given ---- */

/* Neighbours of one group share a range, and a layer without bias leaves no gap. */
static void neighbours_share_a_range(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = grouped_network(layers);
    const clgrad_optimizer groups[2] = {options.optimizer, options.optimizer};
    options.groups = groups;
    options.group_count = 2;
    /* 24 + 6 of the dense layer, 6 + 6 of layer_norm, 1 of prelu without bias, 18 + 3 */
    const struct {
        int32_t groups[PARTS];
        size_t count;
        int32_t ranges[7][2];
    } rows[] = {
        {{1, 1, 1, 1, 1, 0, 1, 1}, 1, {{64, 1}}},
        {{1, 1, -1, -1, -1, 0, 2, 2}, 3, {{30, 1}, {43, -1}, {64, 2}}},
        {{0, 1, 0, 1, 0, 1, 0, 1}, 6, {{24, 0}, {30, 1}, {36, 0}, {42, 1}, {61, 0}, {64, 1}}},
        {{2, 0, 0, 0, 0, 1, 0, 0}, 2, {{24, 2}, {64, 0}}},
    };
    const size_t outside = context->references;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assign(layers, rows[i].groups);
        clgrad_network *network = build(context, &options);
        assert_int_equal(network->ranges.shape[0], rows[i].count);
        assert_contents(context, network->ranges, rows[i].ranges);
        clgrad_network_destroy(network);
        assert_int_equal(context->references, outside);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(groups_have_options_of_their_own), CASE(groups_with_different_slots),
        CASE(an_empty_group_wants_more_state),  CASE(without_further_groups),
        CASE(as_many_groups_as_possible),       CASE(no_weight_decay_on_biases),
        CASE(options_of_a_group_may_change),    CASE(refused_changes_of_options),
        CASE(neighbours_share_a_range),
    };
    return run_on_every_device(cases, COUNT(cases));
}
