#include "check.h"

#define PARAMETER(...) CLGRAD_PARAMETER_ENTRY(clgrad_layer, __VA_ARGS__)
CLGRAD_LAYER_LIST(CLGRAD_PARAMETER_ARRAY)
#undef PARAMETER

static const clgrad_layer_info infos[] = {
#define ROW(value, identifier, name, PARAMETERS, constraint, constraint_text, ...) \
    [value] = {#name, name##_parameters, __VA_ARGS__},
    CLGRAD_LAYER_LIST(ROW)
#undef ROW
};

const clgrad_layer_info *clgrad_layer_describe(clgrad_layer_kind kind)
{
    return (size_t)kind < CLGRAD_LAYER_COUNT ? &infos[kind] : NULL;
}

bool clgrad_layer_parse(const char *name, clgrad_layer_kind *kind)
{
    ptrdiff_t row = clgrad_find_name(name, infos, CLGRAD_LAYER_COUNT, sizeof infos[0]);
    if (row >= 0)
        *kind = (clgrad_layer_kind)row;
    return row >= 0;
}

clgrad_layer clgrad_layer_defaults(clgrad_layer_kind kind)
{
    clgrad_layer layer = {.kind = kind,
                          .activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY),
                          .initializer = CLGRAD_INITIALIZER_XAVIER_UNIFORM};
    if (clgrad_layer_describe(kind) != NULL)
        clgrad_parameters_default(infos[kind].parameters, &layer);
    return layer;
}

/* Whether a function cuts the negative half off or flattens it, as He's initialisation supposes. */
static bool rectifies(clgrad_activation_kind activation)
{
    static const clgrad_activation_kind rectifiers[] = {
        CLGRAD_ACTIVATION_RELU,      CLGRAD_ACTIVATION_RELU6,    CLGRAD_ACTIVATION_LEAKY_RELU,
        CLGRAD_ACTIVATION_RRELU,     CLGRAD_ACTIVATION_ELU,      CLGRAD_ACTIVATION_CELU,
        CLGRAD_ACTIVATION_GELU,      CLGRAD_ACTIVATION_SILU,     CLGRAD_ACTIVATION_MISH,
        CLGRAD_ACTIVATION_GELU_TANH, CLGRAD_ACTIVATION_SOFTPLUS, CLGRAD_ACTIVATION_HARDSWISH};
    for (size_t i = 0; i < sizeof rectifiers / sizeof rectifiers[0]; i++)
        if (rectifiers[i] == activation)
            return true;
    return false;
}

clgrad_layer clgrad_layer_dense(size_t outputs, clgrad_activation_kind activation)
{
    clgrad_layer layer = clgrad_layer_defaults(CLGRAD_LAYER_DENSE);
    layer.outputs = outputs;
    layer.activation = clgrad_activation_defaults(activation);
    if (rectifies(activation))
        layer.initializer = CLGRAD_INITIALIZER_HE_UNIFORM;
    return layer;
}

clgrad_layer clgrad_layer_activation(clgrad_activation_kind activation)
{
    clgrad_layer layer = clgrad_layer_defaults(CLGRAD_LAYER_ACTIVATION);
    layer.activation = clgrad_activation_defaults(activation);
    return layer;
}

static const char *const start = CLGRAD_START_FROM("clgrad_layer_defaults");

static void check_constraint(clgrad_check *check, const clgrad_layer *layer)
{
    switch (layer->kind) {
#define ROW(value, identifier, name, PARAMETERS, constraint, constraint_text, ...)                        \
    case CLGRAD_LAYER_##identifier:                                                                       \
        if (!(constraint))                                                                                \
            clgrad_check_fail_constraint(check, #name, constraint_text, name##_parameters, layer, start); \
        break;
        CLGRAD_LAYER_LIST(ROW)
#undef ROW
    }
}

void clgrad_layer_check(clgrad_check *check, const clgrad_layer *layer)
{
    const clgrad_layer_info *info = clgrad_layer_describe(layer->kind);
    if (info == NULL) {
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no layer kind %d",
                          (int)layer->kind);
        return;
    }
    clgrad_check_parameters(check, info->name, info->parameters, layer, start);
    check_constraint(check, layer);
    if (layer->kind == CLGRAD_LAYER_DENSE && layer->outputs == 0)
        clgrad_check_fail(
            check, CLGRAD_STATUS_INVALID_ARGUMENT,
            "it has 0 outputs; clgrad_layer_dense makes a dense layer with as many as it is told");
    if (layer->kind == CLGRAD_LAYER_DENSE && !clgrad_initializer_exists(layer->initializer))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "it has the unknown initializer %d",
                          (int)layer->initializer);
    if ((layer->kind == CLGRAD_LAYER_DENSE || layer->kind == CLGRAD_LAYER_ACTIVATION) &&
        check->status == CLGRAD_STATUS_SUCCESS)
        clgrad_activation_check(check, &layer->activation);
}
