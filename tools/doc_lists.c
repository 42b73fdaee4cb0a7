/*
 * For the API reference (docs/doxygen.awk): the enumerators that the lists generate, with what the lists say
 * of them. A line for each macro that makes some of them: its name, a tab, the enumerators.
 */
#include <clgrad/clgrad.h>

#include <stdio.h>

/* What a parameter begins with. */
static void parameters(const clgrad_parameter *parameter)
{
    for (const char *before = " Parameters: "; parameter->name != NULL; parameter++, before = ", ") {
        const double value = (double)parameter->default_value;
        if (parameter->type == CLGRAD_PARAMETER_FLAG)
            printf("%s%s = %s", before, parameter->name, value != 0 ? "true" : "false");
        else
            printf("%s%s = %.7g", before, parameter->name, value);
        if (parameter[1].name == NULL)
            printf(".");
    }
}

/* A formula, to be shown as it is. */
static void formula(const char *what, const char *text)
{
    printf(" %s ``%s``.", what, text);
}

static void source(const char *text)
{
    printf(" Source: %s.", text);
}

static void begin(const char *identifier, const char *name, int value)
{
    printf("%s = %d /**< %s:", identifier, value, name);
}

static void end(void)
{
    printf(" */, ");
}

#define BEGIN(prefix, value, identifier, name) begin("CLGRAD_" prefix #identifier, #name, value);

int main(void)
{
    printf("CLGRAD_STATUS_ENUM\t");
#define ROW(value, identifier, name, meaning) \
    BEGIN("STATUS_", value, identifier, name) printf(" %s", meaning), end();
    CLGRAD_STATUS_LIST(ROW)
#undef ROW
    printf("\nCLGRAD_TYPE_ENUM\t");
#define ROW(value, identifier, name, c_type) \
    BEGIN("TYPE_", value, identifier, name) formula("C's", #c_type), end();
    CLGRAD_TYPE_LIST(ROW)
#undef ROW
    printf("\nCLGRAD_REDUCTION_ENUM\t");
#define ROW(value, identifier, name) \
    BEGIN("REDUCTION_", value, identifier, name) printf(" PyTorch's \"%s\"", #name), end();
    CLGRAD_REDUCTION_LIST(ROW)
#undef ROW
    printf("\nCLGRAD_INITIALIZER_ENUM\t");
#define ROW(value, identifier, name, is_uniform, std, from) \
    BEGIN("INITIALIZER_", value, identifier, name) formula("Standard deviation", #std), source(from), end();
    CLGRAD_INITIALIZER_LIST(ROW)
#undef ROW
    printf("\nCLGRAD_SOFTMAX_ENUM\t");
#define ROW(value, identifier, name, bound, y, dx, from) \
    BEGIN("SOFTMAX_", value, identifier, name) formula("y =", y), formula("dx =", dx), source(from), end();
    CLGRAD_SOFTMAX_LIST(ROW)
#undef ROW

/* The families whose rows have a description of their own. */
#define DESCRIBED(FAMILY, family, ...)                                                              \
    printf("\nCLGRAD_" #FAMILY "_ENUM\t");                                                          \
    for (int k = 0; k < CLGRAD_##FAMILY##_COUNT; k++) {                                             \
        const clgrad_##family##_info *info = clgrad_##family##_describe((clgrad_##family##_kind)k); \
        begin(family##_identifiers[k], info->name, k);                                              \
        __VA_ARGS__;                                                                                \
        parameters(info->parameters);                                                               \
        source(info->source);                                                                       \
        end();                                                                                      \
    }
#define IDENTIFIERS(FAMILY, family) \
    static const char *const family##_identifiers[] = {CLGRAD_##FAMILY##_LIST(FAMILY##_ROW)};
#define ACTIVATION_ROW(value, identifier, ...) [value] = "CLGRAD_ACTIVATION_" #identifier,
#define LAYER_ROW(value, identifier, ...) [value] = "CLGRAD_LAYER_" #identifier,
#define LOSS_ROW(value, identifier, ...) [value] = "CLGRAD_LOSS_" #identifier,
#define OPTIMIZER_ROW(value, identifier, ...) [value] = "CLGRAD_OPTIMIZER_" #identifier,
#define SCHEDULE_ROW(value, identifier, ...) [value] = "CLGRAD_SCHEDULE_" #identifier,
    IDENTIFIERS(ACTIVATION, activation)
    IDENTIFIERS(LAYER, layer)
    IDENTIFIERS(LOSS, loss)
    IDENTIFIERS(OPTIMIZER, optimizer)
    IDENTIFIERS(SCHEDULE, schedule)
    DESCRIBED(ACTIVATION, activation, formula("f(x) =", info->formula), formula("f'(x) =", info->derivative))
    DESCRIBED(LAYER, layer, printf(" %s.", info->description), formula("Output:", info->formula))
    DESCRIBED(LOSS, loss, formula("Loss:", info->formula), formula("dprediction:", info->gradient))
    DESCRIBED(OPTIMIZER, optimizer, formula("A step:", info->formula))
    DESCRIBED(SCHEDULE, schedule, formula("Rate:", info->formula))

    const struct {
        const char *family;
        int count;
    } counts[] = {{"ACTIVATION", CLGRAD_ACTIVATION_COUNT},
                  {"LAYER", CLGRAD_LAYER_COUNT},
                  {"LOSS", CLGRAD_LOSS_COUNT},
                  {"OPTIMIZER", CLGRAD_OPTIMIZER_COUNT},
                  {"SCHEDULE", CLGRAD_SCHEDULE_COUNT},
                  {"SOFTMAX", CLGRAD_SOFTMAX_COUNT},
                  {"INITIALIZER", CLGRAD_INITIALIZER_COUNT}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        printf("\nCLGRAD_%s_ONE\tCLGRAD_%s_COUNT = %d /**< rows of the list */", counts[i].family,
               counts[i].family, counts[i].count);
    printf("\n");
    return 0;
}
