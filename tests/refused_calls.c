#include "refused_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_of(const refused_call *call)
{
    size_t count = 0;
    while (count < REFUSED_TENSORS && call->names[count] != NULL)
        count++;
    return count;
}

/* Whether "name " is in the list. */
static bool listed(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at++)
        if ((at == list || at[-1] == ' ') && at[length] == ' ')
            return true;
    return false;
}

static bool may_share(const refused_call *call, const char *a, const char *b)
{
    char pair[64], other[64];
    snprintf(pair, sizeof pair, "%s=%s", a, b);
    snprintf(other, sizeof other, "%s=%s", b, a);
    return listed(call->in_place, pair) || listed(call->in_place, other);
}

/* The call with these tensors is refused, with every part in its sentence, and the good ones keep their
 * contents. */
static void refuse(clgrad_context *context, const refused_call *call, const clgrad_tensor *good,
                   const clgrad_tensor *bad, clgrad_status status, const char *part, const char *second)
{
    const size_t count = count_of(call);
    void *before[REFUSED_TENSORS] = {NULL};
    for (size_t i = 0; i < count; i++)
        if (good[i].buffer != NULL)
            before[i] = tensor_contents(context, good[i]);
    assert_refused(context, call->run(context, bad), status, part);
    assert_refused(context, status, status, second);
    for (size_t i = 0; i < count; i++) {
        if (before[i] != NULL)
            assert_contents(context, good[i], before[i]);
        free(before[i]);
    }
}

void assert_change_refused(clgrad_context *context, const refused_call *call, const clgrad_tensor *tensors,
                           const char *which, clgrad_tensor change, clgrad_status status, const char *part)
{
    clgrad_tensor bad[REFUSED_TENSORS];
    memcpy(bad, tensors, sizeof *bad * count_of(call));
    size_t at = 0;
    while (strcmp(call->names[at], which) != 0)
        at++;
    bad[at] = change;
    refuse(context, call, tensors, bad, status, part, which);
}

clgrad_tensor reshaped(clgrad_tensor tensor, int rank, const size_t *shape)
{
    tensor.rank = rank;
    for (int i = 0; i < rank; i++)
        tensor.shape[i] = shape[i];
    return tensor;
}

static void refuse_each_alone(clgrad_context *context, const refused_call *call, const clgrad_tensor *tensors)
{
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    for (size_t i = 0; i < count_of(call); i++) {
        const char *name = call->names[i];
        const clgrad_tensor good = tensors[i];
        clgrad_tensor bad = clgrad_tensor_none();
        if (!listed(call->optional, name))
            assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_INVALID_ARGUMENT,
                                  " is absent");
        bad = good;
        bad.rank = CLGRAD_TENSOR_MAX_RANK + 1;
        assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_INVALID_ARGUMENT, " has rank");
        bad.rank = -1;
        assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_INVALID_ARGUMENT,
                              " has rank -1");
        bad = good;
        bad.type = CLGRAD_TYPE_INT32;
        assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_INVALID_TYPE,
                              " is int32, it must be float32");
        bad.type = (clgrad_type)7;
        assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_INVALID_TYPE,
                              " has the unknown element type 7");
        bad = good;
        bad.offset = 2 * good.offset + 1; /* tensor_with puts as many guards before as behind */
        assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_OUT_OF_RANGE,
                              " but its buffer holds");
        bad.offset = SIZE_MAX;
        assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_OUT_OF_RANGE,
                              " but its buffer holds");
        bad = tensor_with(other, CLGRAD_TYPE_FLOAT32, good.rank, good.shape, NULL);
        assert_change_refused(context, call, tensors, name, bad, CLGRAD_STATUS_INVALID_CONTEXT,
                              " lies in a buffer of another context");
        assert_untouched(other, bad);
        tensor_free(other, bad);
    }
    clgrad_context_destroy(other);
}

/* Output i and tensor j in one buffer, sharing an element; or in one place, unless that is allowed. */
static void refuse_overlaps(clgrad_context *context, const refused_call *call, const clgrad_tensor *tensors,
                            size_t i, size_t j)
{
    const size_t first = clgrad_tensor_count(tensors[i]), second = clgrad_tensor_count(tensors[j]);
    const bool share = may_share(call, call->names[i], call->names[j]) && first == second;
    clgrad_tensor bad[REFUSED_TENSORS];
    memcpy(bad, tensors, sizeof *bad * count_of(call));
    clgrad_tensor arena = vector_with(context, first + second, NULL);
    bad[i].buffer = bad[j].buffer = arena.buffer;
    const size_t places[3][2] = {{0, first - 1}, {second - 1, 0}, {0, 0}};
    for (size_t k = 0; k < COUNT(places); k++) {
        bad[i].offset = arena.offset + places[k][0];
        bad[j].offset = arena.offset + places[k][1];
        if (share && bad[i].offset == bad[j].offset)
            continue;
        char part[64];
        snprintf(part, sizeof part, "%s overlaps %s", call->names[i], call->names[j]);
        if (listed(call->outputs, call->names[j])) /* either way round */
            part[0] = '\0';
        refuse(context, call, tensors, bad, CLGRAD_STATUS_INVALID_ARGUMENT, " overlaps ",
               part[0] != '\0' ? part : call->names[j]);
        assert_untouched(context, arena);
    }
    tensor_free(context, arena);
}

void assert_bad_tensors_refused(clgrad_context *context, const refused_call *call,
                                const clgrad_tensor *tensors)
{
    assert_int_equal(call->run(NULL, tensors), CLGRAD_STATUS_INVALID_ARGUMENT);
    refuse_each_alone(context, call, tensors);
    for (size_t i = 0; i < count_of(call); i++)
        for (size_t j = 0; j < count_of(call) && listed(call->outputs, call->names[i]); j++)
            if (j != i)
                refuse_overlaps(context, call, tensors, i, j);
}
