/*
 * Networks with every loss and all that it may take: against the oracle, and the calls with a target alone
 * against those with all inputs.
 */
#include "network_oracle.h"

#include "loss_case.h"
#include "network.h"
#include "reference/reference.h"

#include <stdio.h>

enum { ROWS = 5, CLASSES = 6, MOST = 3 };

/* A network, what it is run on, and its loss with all that it takes. */
typedef struct subject {
    clgrad_layer layers[MOST];
    clgrad_network_options options;
    samples s;
    loss_drawn *drawn;
    loss_tensors tensors; /* their prediction is not used */
    clgrad_loss_inputs inputs;
    clgrad_tensor x, loss;
} subject;

/* One that gives what the loss wants: numbers, probabilities or their logarithms. */
static void make_network(subject *it, clgrad_loss loss)
{
    const clgrad_loss_input input = clgrad_loss_describe(loss.kind)->input;
    it->layers[0] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_TANH);
    it->layers[1] = clgrad_layer_dense(
        CLASSES, input == CLGRAD_LOSS_PROBABILITY ? CLGRAD_ACTIVATION_SIGMOID : CLGRAD_ACTIVATION_IDENTITY);
    it->layers[2] = clgrad_layer_defaults(CLGRAD_LAYER_LOG_SOFTMAX);
    it->options = clgrad_network_defaults();
    it->options.inputs = 4;
    it->options.layers = it->layers;
    it->options.layer_count = input == CLGRAD_LOSS_LOG_PROBABILITY ? 3 : 2;
    it->options.loss = loss;
    it->options.optimizer.lr = 0.25f;
}

static subject *make_subject(clgrad_context *context, clgrad_loss loss, unsigned with)
{
    const size_t shape[] = {1, ROWS, CLASSES}; /* a sequence of one step */
    const bool sequence = clgrad_loss_describe(loss.kind)->extent == CLGRAD_LOSS_SEQUENCE;
    subject *it = allocate(1, sizeof *it);
    make_network(it, loss);
    it->drawn = loss_draw(loss, sequence ? 3 : 2, shape + (sequence ? 0 : 1), with);
    for (size_t b = 0; b < ROWS && sequence; b++) /* in which there is room for a label */
        it->drawn->numbers.target_lengths[b] = (int32_t)(b % 2);
    it->s = make_samples(ROWS, it->options.inputs, CLASSES, false);
    it->x = upload_x(context, it->s);
    it->loss = scalar_with(context, NAN);
    it->tensors = loss_case_tensors(context, &it->drawn->c);
    it->inputs = it->tensors.inputs;
    it->inputs.prediction = clgrad_tensor_none();
    return it;
}

static void free_subject(clgrad_context *context, subject *it)
{
    tensor_free(context, it->x);
    tensor_free(context, it->loss);
    loss_tensors_free(context, it->tensors);
    loss_drawn_free(it->drawn);
    samples_free(it->s);
    free(it);
}

/* ---- against the oracle ---- */

static double *wide_or_null(const float *numbers, size_t count)
{
    return numbers != NULL ? widen(numbers, count) : NULL;
}

static double *wide_weight(const loss_case *c, const loss_weight *weight)
{
    if (weight->numbers == NULL)
        return NULL;
    const bool of_classes = loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_CLASS_WEIGHT;
    double *wide = allocate(ROWS * CLASSES, sizeof *wide);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        wide[i] = of_classes ? (double)weight->numbers[i % CLASSES] : loss_weight_at(c, weight, i);
    return wide;
}

static double subject_loss(const void *data, const double *parameters)
{
    const subject *it = data;
    const loss_case *c = &it->drawn->c;
    const size_t count = ROWS * CLASSES,
                 targets = loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_ROW_TARGET ? ROWS : count;
    double value = NAN, *prediction = exact_output(&it->options, parameters, it->s, (pass){.training = true});
    double *target = wide_or_null(c->target, targets), *other = wide_or_null(c->other, count);
    double *weight = wide_weight(c, &c->weight), *pos_weight = wide_weight(c, &c->pos_weight);
    clgrad_ref_loss_arrays arrays = {.rank = c->rank,
                                     .prediction = prediction,
                                     .target = target,
                                     .other = other,
                                     .weight = weight,
                                     .pos_weight = pos_weight,
                                     .classes = c->classes,
                                     .input_lengths = c->input_lengths,
                                     .target_lengths = c->target_lengths,
                                     .room = c->room,
                                     .value = &value};
    memcpy(arrays.shape, c->shape, sizeof arrays.shape);
    arrays.scratch = allocate(clgrad_ref_loss_scratch(&c->loss, &arrays), sizeof(double));
    assert_int_equal(clgrad_ref_loss(&c->loss, &arrays).kind, CLGRAD_FAULT_NONE);
    free(arrays.scratch);
    free(prediction);
    free(target);
    free(other);
    free(weight);
    free(pos_weight);
    return value;
}

static void check(clgrad_context *context, clgrad_loss loss, unsigned with)
{
    subject *it = make_subject(context, loss, with);
    clgrad_network *network = build(context, &it->options);
    double *parameters = scatter_parameters(context, network, 8);
    const double value = subject_loss(it, parameters);
    assert_ok(context, clgrad_network_evaluate_with(network, it->x, &it->inputs, it->loss));
    assert_near(context, it->drawn->label, it->loss, &value, 1e-5);
    assert_ok(context, clgrad_tensor_fill(context, it->loss, NAN));
    assert_ok(context, clgrad_network_backward_with(network, it->x, &it->inputs, it->loss));
    assert_near(context, it->drawn->label, it->loss, &value, 1e-5);
    float *gradient = tensor_floats(context, clgrad_network_gradients(network));
    assert_slopes(it->drawn->label, gradient, parameters, parameter_count(&it->options), subject_loss, it);
    free(gradient);
    free(parameters);
    clgrad_network_destroy(network);
    free_subject(context, it);
}

static void every_loss_with_all_that_it_takes(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const unsigned ways = loss_ways((clgrad_loss_kind)k) & ~(unsigned)LOSS_WITH_DVALUE;
        for (unsigned with = 0; with <= ways; with++)
            for (int r = CLGRAD_REDUCTION_MEAN; r <= CLGRAD_REDUCTION_BATCHMEAN; r++) {
                clgrad_loss loss = clgrad_loss_defaults((clgrad_loss_kind)k);
                loss.reduction = (clgrad_reduction)r;
                if ((with & ~ways) == 0 && loss_reduces_by(loss.kind, loss.reduction))
                    check(context, loss, with);
            }
    }
}

/* ---- the calls with a target alone ---- */

static void assert_twins(clgrad_context *context, const subject *it, clgrad_network *a, clgrad_network *b,
                         clgrad_tensor loss)
{
    const clgrad_tensor pairs[][2] = {
        {clgrad_network_parameters(a), clgrad_network_parameters(b)},
        {clgrad_network_gradients(a), clgrad_network_gradients(b)},
        {it->loss, loss},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        float *wanted = tensor_floats(context, pairs[i][0]);
        assert_holds(context, pairs[i][1], wanted);
        free(wanted);
    }
}

/* The same bits. Where the loss takes more the short form says what is missing. */
static void a_target_alone(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        subject *it = make_subject(context, clgrad_loss_defaults((clgrad_loss_kind)k), 0);
        clgrad_network *with = build(context, &it->options), *alone = build(context, &it->options);
        const clgrad_tensor x = it->x, target = it->inputs.target;
        clgrad_tensor loss = scalar_with(context, NAN);
        const unsigned flags = clgrad_loss_describe((clgrad_loss_kind)k)->flags;
        const char *missing = flags & CLGRAD_LOSS_TAKES_OTHER     ? "other is absent"
                              : flags & CLGRAD_LOSS_TAKES_LENGTHS ? "input_lengths is absent"
                                                                  : NULL;
        if (missing != NULL) {
            const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;
            assert_refused(context, clgrad_network_evaluate(alone, x, target, loss), argument, missing);
            assert_refused(context, clgrad_network_backward(alone, x, target, loss), argument, missing);
            assert_refused(context, clgrad_network_train_step(alone, x, target, loss), argument, missing);
        } else {
            assert_ok(context, clgrad_network_evaluate(alone, x, target, loss));
            assert_ok(context, clgrad_network_evaluate_with(with, x, &it->inputs, it->loss));
            assert_twins(context, it, with, alone, loss);
            assert_ok(context, clgrad_network_backward(alone, x, target, loss));
            assert_ok(context, clgrad_network_backward_with(with, x, &it->inputs, it->loss));
            assert_twins(context, it, with, alone, loss);
            assert_ok(context, clgrad_network_train_step(alone, x, target, loss));
            assert_ok(context, clgrad_network_train_step_with(with, x, &it->inputs, it->loss));
            assert_twins(context, it, with, alone, loss);
        }
        tensor_free(context, loss);
        clgrad_network_destroy(with);
        clgrad_network_destroy(alone);
        free_subject(context, it);
    }
}

/* A step with all inputs is their backward pass and a step. */
static void steps_with_all_inputs(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const unsigned ways = loss_ways((clgrad_loss_kind)k) & ~(unsigned)LOSS_WITH_DVALUE;
        subject *it = make_subject(context, clgrad_loss_defaults((clgrad_loss_kind)k), ways);
        clgrad_network *once = build(context, &it->options), *twice = build(context, &it->options),
                       *sum = build(context, &it->options);
        clgrad_tensor loss = scalar_with(context, NAN);
        for (uint64_t n = 1; n <= 2; n++) {
            assert_ok(context, clgrad_network_train_step_with(once, it->x, &it->inputs, it->loss));
            assert_ok(context, clgrad_network_backward_with(twice, it->x, &it->inputs, loss));
            assert_ok(context, clgrad_network_step(twice));
            assert_twins(context, it, once, twice, loss);
            assert_ok(context, clgrad_network_accumulate(sum, it->x, &it->inputs, 1, loss));
            assert_ok(context, clgrad_network_step(sum));
            /* the gradients too, but for the sign of a 0 */
            float *wanted = tensor_floats(context, clgrad_network_parameters(once));
            assert_holds(context, clgrad_network_parameters(sum), wanted);
            free(wanted);
            assert_true(tensor_scalar_value(context, loss) == tensor_scalar_value(context, it->loss));
            assert_int_equal(clgrad_network_steps(once), n);
        }
        tensor_free(context, loss);
        clgrad_network_destroy(once);
        clgrad_network_destroy(twice);
        clgrad_network_destroy(sum);
        free_subject(context, it);
    }
}

/* ---- lengths ---- */

static void refuse(clgrad_context *context, clgrad_network *network, clgrad_tensor x,
                   const clgrad_loss_inputs *inputs, clgrad_tensor loss, const char *part)
{
    const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    assert_refused(context, clgrad_network_evaluate_with(network, x, inputs, loss), argument, part);
    assert_refused(context, clgrad_network_backward_with(network, x, inputs, loss), argument, part);
    assert_refused(context, clgrad_network_train_step_with(network, x, inputs, loss), argument, part);
    assert_refused(context, clgrad_network_accumulate(network, x, inputs, 1, loss), argument, part);
    assert_null(network->workspace);
    assert_int_equal(clgrad_network_steps(network), 0);
}

/*
 * The loss may not lie in the lengths of a ctc, nor these in what the network owns. Nothing is enqueued then:
 * the room for a batch, which the first call makes before it does, is not there.
 */
static void lengths_that_overlap(clgrad_context *context)
{
    static const char *const owned_names[] = {"the network's parameters", "the network's gradients",
                                              "the network's state", "the network's running statistics"};
    subject *it = make_subject(context, clgrad_loss_defaults(CLGRAD_LOSS_CTC), 0);
    it->layers[0] = clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM);
    it->options.optimizer.momentum = 0.5f;
    clgrad_network *network = build(context, &it->options);
    const clgrad_tensor owned[] = {clgrad_network_parameters(network), clgrad_network_gradients(network),
                                   clgrad_network_state(network), clgrad_network_running_stats(network)};
    void *before[COUNT(owned)];
    for (size_t i = 0; i < COUNT(owned); i++)
        before[i] = tensor_contents(context, owned[i]);
    clgrad_loss_inputs changed = it->inputs;
    clgrad_tensor *lengths[] = {&changed.input_lengths, &changed.target_lengths};
    static const char *const names[] = {"input_lengths", "target_lengths"};
    char part[96];
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const clgrad_tensor good = *lengths[i];
        void *contents = tensor_contents(context, good);
        snprintf(part, sizeof part, "loss overlaps %s", names[i]);
        refuse(context, network, it->x, &changed, clgrad_tensor_scalar(good.buffer, good.offset + ROWS - 1),
               part);
        for (size_t k = 0; k < COUNT(owned); k++) {
            const size_t end = owned[k].offset + clgrad_tensor_count(owned[k]);
            *lengths[i] = clgrad_tensor_vector(owned[k].buffer, end - ROWS, CLGRAD_TYPE_INT32, ROWS);
            snprintf(part, sizeof part, "%s overlaps %s", names[i], owned_names[k]);
            refuse(context, network, it->x, &changed, it->loss, part);
        }
        *lengths[i] = good;
        assert_contents(context, good, contents);
        free(contents);
    }
    assert_true(isnan(tensor_scalar_value(context, it->loss)));
    for (size_t i = 0; i < COUNT(owned); i++) {
        assert_contents(context, owned[i], before[i]);
        free(before[i]);
    }
    assert_ok(context, clgrad_network_train_step_with(network, it->x, &changed, it->loss));
    clgrad_network_destroy(network);
    free_subject(context, it);
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_loss_with_all_that_it_takes),
        CASE(a_target_alone),
        CASE(steps_with_all_inputs),
        CASE(lengths_that_overlap),
    };
    return run_on_every_device(cases, COUNT(cases));
}
