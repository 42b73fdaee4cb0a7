/*
 * The conformance call: it knows every operation of every list, passes on every device, and finds what is
 * wrong: with one element of one operation's result spoiled on its way, this operation alone is named, with
 * the smallest input that shows it.
 */
#include "conformance_fault.h"
#include "harness.h"

#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A family of the backend that is new has to be added to src/conformance, and a fault to this test. */
_Static_assert(sizeof(clgrad_backend) == 11 * sizeof(void *), "the backend's families have changed");

/* ---- what was reported ---- */

enum { MAX_RESULTS = 512 };

typedef struct reports {
    clgrad_conformance_result results[MAX_RESULTS];
    char families[MAX_RESULTS][32], operations[MAX_RESULTS][96];
    size_t count, started;
    size_t stop_after; /* results; 0: never */
} reports;

static bool collect(const clgrad_conformance_result *result, void *user)
{
    reports *r = user;
    assert_non_null(result->family);
    assert_non_null(result->operation);
    assert_non_null(result->unit);
    if (result->verdict == CLGRAD_CONFORMANCE_STARTED) {
        r->started++;
        return true;
    }
    assert_true(r->count < MAX_RESULTS);
    r->results[r->count] = *result;
    snprintf(r->families[r->count], sizeof r->families[0], "%s", result->family);
    snprintf(r->operations[r->count], sizeof r->operations[0], "%s", result->operation);
    r->count++;
    return r->count != r->stop_after;
}

static reports *run_only(clgrad_context *context, const char *const *only, size_t count)
{
    reports *r = allocate(1, sizeof *r);
    clgrad_conformance_options options = clgrad_conformance_defaults();
    options.only = only;
    options.only_count = count;
    assert_ok(context, clgrad_conformance_run(context, &options, collect, r));
    assert_int_equal(r->started, r->count);
    return r;
}

static const clgrad_conformance_result *find(const reports *r, const char *family, const char *operation)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->families[i], family) == 0 && strcmp(r->operations[i], operation) == 0)
            return &r->results[i];
    return NULL;
}

/* ---- the list ---- */

static void assert_listed(const reports *r, const char *family, const char *name, const char *suffix,
                          double bound)
{
    char operation[96];
    snprintf(operation, sizeof operation, "%s%s", name, suffix);
    const clgrad_conformance_result *result = find(r, family, operation);
    if (result == NULL)
        fail_msg("%s is not listed in the family %s", operation, family);
    assert_int_equal(result->verdict, CLGRAD_CONFORMANCE_LISTED);
    if (bound >= 0)
        assert_true(result->bound == bound);
}

static void every_row_of_every_list_is_an_operation(clgrad_context *context)
{
    (void)context;
    static const char *const others[][2] = {{"tensor", "tensor_write_read"},
                                            {"tensor", "tensor_copy"},
                                            {"tensor", "tensor_fill"},
                                            {"tensor", "tensor_axpby"},
                                            {"tensor", "tensor_gather"},
                                            {"random", "random_uniform"},
                                            {"random", "random_normal"},
                                            {"gated", "prelu_forward"},
                                            {"gated", "prelu_backward"},
                                            {"gated", "glu_forward"},
                                            {"gated", "glu_backward"},
                                            {"noise", "dropout_forward"},
                                            {"noise", "dropout_backward"},
                                            {"noise", "rrelu_training_forward"},
                                            {"noise", "rrelu_training_backward"},
                                            {"normalization", "layer_norm_forward"},
                                            {"normalization", "layer_norm_backward"},
                                            {"normalization", "batch_norm_forward"},
                                            {"normalization", "batch_norm_backward"},
                                            {"dense", "dense_forward"},
                                            {"dense", "dense_backward"},
                                            {"clip", "clip_grad_norm"},
                                            {"clip", "clip_grad_value"}};
    reports *r = allocate(1, sizeof *r);
    clgrad_message message;
    assert_int_equal(clgrad_conformance_list(NULL, collect, r, &message), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(r->started, 0);
    size_t count = COUNT(others);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_listed(r, others[i][0], others[i][1], "", -1);
#define ACTIVATION(value, identifier, name, PARAMETERS, constraint, text, forward_ulp, backward_ulp, ...) \
    assert_listed(r, "activation", #name, "_forward", forward_ulp);                                       \
    assert_listed(r, "activation", #name, "_backward", backward_ulp);                                     \
    count += 2;
    CLGRAD_ACTIVATION_LIST(ACTIVATION)
#define SOFTMAX(value, identifier, name, bound, ...)        \
    assert_listed(r, "softmax", #name, "_forward", bound);  \
    assert_listed(r, "softmax", #name, "_backward", bound); \
    count += 2;
    CLGRAD_SOFTMAX_LIST(SOFTMAX)
#define LOSS(value, identifier, name, PARAMETERS, extent, flags, input, bound, ...) \
    assert_listed(r, "loss", #name, "", bound);                                     \
    count++;
    CLGRAD_LOSS_LIST(LOSS)
#define OPTIMIZER(value, identifier, name, PARAMETERS, slots, slot_names, constraint, text, bound, ...) \
    assert_listed(r, "optimizer", #name, "", bound);                                                    \
    assert_listed(r, "optimizer", #name, "_groups", bound);                                             \
    count += 2;
    CLGRAD_OPTIMIZER_LIST(OPTIMIZER)
#define INITIALIZER(value, identifier, name, ...) \
    assert_listed(r, "random", #name, "", 0);     \
    count++;
    CLGRAD_INITIALIZER_LIST(INITIALIZER)
#define LAYER(value, identifier, name, ...)            \
    assert_listed(r, "training", #name, "_layer", -1); \
    count++;
    CLGRAD_LAYER_LIST(LAYER)
    assert_int_equal(r->count, count);
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(strcmp(r->operations[i], r->operations[j]) == 0);
    free(r);
}

/* ---- running ---- */

static void devices_pass(clgrad_context *context)
{
    reports *all = allocate(1, sizeof *all), *r = run_only(context, NULL, 0);
    assert_int_equal(clgrad_conformance_list(NULL, collect, all, NULL), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(r->count, all->count);
    for (size_t i = 0; i < r->count; i++) {
        const clgrad_conformance_result *result = &r->results[i];
        const clgrad_conformance_failure *f = &result->failure;
        if (result->verdict != CLGRAD_CONFORMANCE_PASSED)
            fail_msg("%s: %s, %s, %s[%llu] is %a, not %a; error %g; %s; %s", r->operations[i], f->options,
                     f->shape, f->array, (unsigned long long)f->index, f->got, f->expected, f->error,
                     f->input, f->message);
        assert_string_equal(r->operations[i], all->operations[i]);
        assert_true(result->worst >= 0 && result->worst <= result->bound);
        assert_true(result->cases > 0 && result->numbers > 0 && result->failed_cases == 0);
    }
    free(all);
    free(r);
}

static void names_choose(clgrad_context *context)
{
    static const char *const names[] = {"gelu", "mse", "clip"};
    reports *r = run_only(context, names, COUNT(names));
    assert_int_equal(r->count, 5);
    assert_non_null(find(r, "activation", "gelu_forward"));
    assert_non_null(find(r, "activation", "gelu_backward"));
    assert_non_null(find(r, "loss", "mse"));
    assert_non_null(find(r, "clip", "clip_grad_norm"));
    assert_non_null(find(r, "clip", "clip_grad_value"));
    free(r);
}

static void a_report_may_end_the_run(clgrad_context *context)
{
    reports *r = allocate(1, sizeof *r);
    r->stop_after = 2;
    static const char *const names[] = {"random"};
    const clgrad_conformance_options options = {.only = names, .only_count = 1};
    assert_ok(context, clgrad_conformance_run(context, &options, collect, r));
    assert_int_equal(r->count, 2);
    free(r);
}

static void bad_arguments_are_refused(clgrad_context *context)
{
    static const char *const wrong[] = {"gelu", "gelo"}, *const none[] = {NULL};
    const clgrad_conformance_options unknown = {.only = wrong, .only_count = 2};
    const clgrad_conformance_options null = {.only = none, .only_count = 1}, nowhere = {.only_count = 1};
    reports *r = allocate(1, sizeof *r);
    clgrad_message message;
    assert_int_equal(clgrad_conformance_run(NULL, NULL, collect, r), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_refused(context, clgrad_conformance_run(context, NULL, NULL, r), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "report is NULL");
    assert_refused(context, clgrad_conformance_run(context, &unknown, collect, r),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "there is no operation \"gelo\"");
    assert_refused(context, clgrad_conformance_run(context, &null, collect, r),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "name 0 of 1 is NULL");
    assert_refused(context, clgrad_conformance_run(context, &nowhere, collect, r),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "name 0 of 1 is NULL");
    assert_int_equal(clgrad_conformance_list(NULL, NULL, r, &message), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(message.text, "report is NULL"));
    assert_int_equal(clgrad_conformance_list(&unknown, collect, r, &message), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(message.text, "gelo"));
    assert_int_equal(r->count + r->started, 0);
    free(r);
    assert_string_equal(clgrad_conformance_verdict_name(CLGRAD_CONFORMANCE_FAILED), "failed");
    assert_string_equal(clgrad_conformance_verdict_name((clgrad_conformance_verdict)77), "unknown");
}

/* ---- finding what is wrong ---- */

typedef struct injection {
    fault_place place;
    size_t index; /* of the element that is spoiled */
    const char *only;
    const char *operations[2]; /* those that share the function */
    const char *shape, *array;
} injection;

static const injection injections[] = {
    {FAULT_GATHER, 9, "tensor", {"tensor_gather"}, "count=4 columns=3", "destination"},
    {FAULT_WRITE, 12, "random_normal", {"random_normal"}, "n=13", "tensor"},
    {FAULT_GELU_BACKWARD, 64, "activation", {"gelu_backward"}, "n=65", "dx"},
    {FAULT_PRELU_FORWARD, 10, "gated", {"prelu_forward"}, "batch=2 channels=3 inner=2", "y"},
    {FAULT_PRELU_BACKWARD, 10, "gated", {"prelu_backward"}, "batch=2 channels=3 inner=2", "dx"},
    {FAULT_SOFTMAX_FORWARD, 5, "softmax", {"softmax_forward"}, "rows=3 columns=2", "y"},
    {FAULT_DROPOUT, 40, "noise", {"dropout_forward", "dropout_backward"}, "n=41", NULL},
    {FAULT_LAYER_NORM, 7, "normalization", {"layer_norm_forward"}, "batch=1 features=8", "y"},
    {FAULT_DENSE_FORWARD, 3, "dense", {"dense_forward"}, "batch=1 in=1 out=4", "h"},
    {FAULT_MSE, 20, "loss", {"mse"}, "rows=1 columns=21", "dprediction"},
    {FAULT_NORM, 0, "clip", {"clip_grad_norm"}, "n=1", "total_norm"},
    {FAULT_ADAM, 30, "optimizer", {"adam"}, "n=31", "parameters, step 1"},
    {FAULT_ADAM_GROUPS, 30, "optimizer", {"adam_groups"}, "n=31", "parameters, step 1"},
    {FAULT_PRELU_BACKWARD, 0, "training", {"prelu_layer"}, "batch=1 steps=1", NULL},
};

static bool is_among(const injection *in, const char *operation)
{
    for (size_t i = 0; i < COUNT(in->operations) && in->operations[i] != NULL; i++)
        if (strcmp(in->operations[i], operation) == 0)
            return true;
    return false;
}

static void check_injection(clgrad_context *context, const injection *in)
{
    fault_inject(context, in->place, in->index);
    reports *r = run_only(context, &in->only, 1);
    fault_remove(context);
    for (size_t i = 0; i < r->count; i++) {
        const clgrad_conformance_result *result = &r->results[i];
        const clgrad_conformance_failure *f = &result->failure;
        if (!is_among(in, r->operations[i])) {
            if (result->verdict != CLGRAD_CONFORMANCE_PASSED)
                fail_msg("%s spoiled, but %s has failed too: %s[%llu], %s", in->operations[0],
                         r->operations[i], f->array, (unsigned long long)f->index, f->shape);
            continue;
        }
        if (result->verdict != CLGRAD_CONFORMANCE_FAILED)
            fail_msg("%s is spoiled, and has passed", r->operations[i]);
        assert_true(result->failed_cases > 0 && !(result->worst <= result->bound));
        assert_string_equal(f->shape, in->shape);
        assert_int_equal(f->status, CLGRAD_STATUS_SUCCESS);
        assert_string_equal(f->message, "");
        assert_true(f->error > result->bound);
        if (in->array != NULL)
            assert_string_equal(f->array, in->array);
        if (strcmp(in->only, "training") != 0) { /* there all weights are wrong behind it */
            assert_int_equal(f->index, in->index);
            assert_true(fabs(f->got - (1.5 * f->expected + 1)) <= 1e-5 * (fabs(f->expected) + 1));
        }
    }
    free(r);
}

static void a_spoiled_element_is_found(clgrad_context *context)
{
    for (size_t i = 0; i < COUNT(injections); i++)
        check_injection(context, &injections[i]);
}

/* Option values and the inputs of that element, exactly. */
static void a_failure_says_what_went_in(clgrad_context *context)
{
    static const char *const only[] = {"adam"}, *const relu[] = {"gelu_backward"};
    fault_inject(context, FAULT_ADAM, 3);
    reports *r = run_only(context, only, 1);
    fault_remove(context);
    const clgrad_conformance_failure *f = &find(r, "optimizer", "adam")->failure;
    assert_non_null(strstr(f->options, "lr=0.00100000005 beta1=0.899999976"));
    assert_non_null(strstr(f->input, "gradient[3] = "));
    assert_non_null(strstr(f->input, "parameters[3] = "));
    free(r);

    fault_inject(context, FAULT_GELU_BACKWARD, 0);
    r = run_only(context, relu, 1);
    fault_remove(context);
    f = &find(r, "activation", "gelu_backward")->failure;
    float x = 0, dy = 0;
    assert_int_equal(sscanf(f->input, "x[0] = %a (%*g), dy[0] = %a", &x, &dy), 2);
    clgrad_activation gelu = clgrad_activation_defaults(CLGRAD_ACTIVATION_GELU);
    clgrad_tensor tx = scalar_with(context, x), tdy = scalar_with(context, dy);
    assert_ok(context, clgrad_activation_backward(context, &gelu, tx, tdy, tdy));
    assert_true(is_close(tensor_scalar_value(context, tdy), f->expected, 1e-6 * fabs(f->expected)));
    tensor_free(context, tx);
    tensor_free(context, tdy);
    free(r);
}

static void a_status_and_a_write_outside_are_found(clgrad_context *context)
{
    static const char *const only[] = {"mish", "selu"};
    fault_inject(context, FAULT_MISH_REFUSES, 0);
    reports *r = run_only(context, only, 2);
    fault_remove(context);
    const clgrad_conformance_result *mish = find(r, "activation", "mish_forward");
    assert_int_equal(mish->verdict, CLGRAD_CONFORMANCE_FAILED);
    assert_int_equal(mish->failure.status, CLGRAD_STATUS_DEVICE_ERROR);
    assert_string_equal(mish->failure.message, "a driver that is out of sorts");
    assert_string_equal(mish->failure.shape, "n=1");
    assert_int_equal(find(r, "activation", "mish_backward")->verdict, CLGRAD_CONFORMANCE_PASSED);
    assert_int_equal(find(r, "activation", "selu_forward")->verdict, CLGRAD_CONFORMANCE_PASSED);
    free(r);

    fault_inject(context, FAULT_SELU_OUTSIDE, 20);
    r = run_only(context, only, 2);
    fault_remove(context);
    const clgrad_conformance_result *selu = find(r, "activation", "selu_forward");
    assert_int_equal(selu->verdict, CLGRAD_CONFORMANCE_FAILED);
    assert_int_equal(selu->failure.status, CLGRAD_STATUS_SUCCESS);
    assert_string_equal(selu->failure.message, "wrote outside of a result of 21 elements");
    assert_string_equal(selu->failure.shape, "n=21");
    assert_int_equal(find(r, "activation", "mish_forward")->verdict, CLGRAD_CONFORMANCE_PASSED);
    free(r);
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_row_of_every_list_is_an_operation),
        CASE(devices_pass),
        CASE(names_choose),
        CASE(a_report_may_end_the_run),
        CASE(bad_arguments_are_refused),
        CASE(a_spoiled_element_is_found),
        CASE(a_failure_says_what_went_in),
        CASE(a_status_and_a_write_outside_are_found),
    };
    return run_on_every_device(cases, COUNT(cases));
}
