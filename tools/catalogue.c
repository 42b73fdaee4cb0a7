/*
 * Write docs/catalogue.md to the standard output, from the lists in include/clgrad/: what an entry computes,
 * its parameters, its accuracy and where it comes from. The test "catalogue" holds the file against this.
 */
#include <clgrad/clgrad.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A formula in a code block, broken between words at WIDTH columns; further lines are indented under the
 * first. */
#define WIDTH 100
#define LEFT 15

static void line(const char *left, const char *formula)
{
    size_t column = LEFT;
    printf("    %-10s ", left);
    while (*formula != '\0') {
        const size_t length = strcspn(formula, " ");
        if (column > LEFT && column + 1 + length > WIDTH)
            column = (size_t)printf("\n%*s", LEFT, "") - 1;
        else if (column > LEFT)
            column += (size_t)printf(" ");
        column += (size_t)printf("%.*s", (int)length, formula);
        formula += length + (formula[length] == ' ');
    }
    printf("\n");
}

/* One end of an interval; the numbers next to 0 and to 1 stand for intervals that leave 0 and 1 out. */
static void end(const char *closed, const char *open, double value)
{
    if (value == (double)FLT_MIN || value == (double)nextafterf(1, 0) || value == (double)nextafterf(1, 2))
        printf("%s %d", open, value == (double)FLT_MIN ? 0 : 1);
    else
        printf("%s %.7g", closed, value);
}

/* The interval in words: nothing where any number will do. */
static void interval(const clgrad_parameter *parameter)
{
    const double low = (double)parameter->minimum, high = (double)parameter->maximum;
    const double largest = parameter->type == CLGRAD_PARAMETER_INTEGER ? 0x1p24 : (double)FLT_MAX;
    const bool has_low = low != -largest, has_high = high != largest;
    if (parameter->type == CLGRAD_PARAMETER_FLAG || (!has_low && !has_high))
        return;
    printf(" (");
    if (has_low && has_high && low != (double)FLT_MIN && high != (double)nextafterf(1, 0)) {
        printf("%.7g to %.7g)", low, high);
        return;
    }
    if (has_low)
        end("at least", "above", low);
    if (has_low && has_high)
        printf(", ");
    if (has_high)
        end("at most", "below", high);
    printf(")");
}

static void parameters(const clgrad_parameter *list)
{
    if (list == NULL || list->name == NULL)
        return;
    printf("- Parameters: ");
    for (const clgrad_parameter *p = list; p->name != NULL; p++) {
        printf("%s`%s` = ", p == list ? "" : ", ", p->name);
        if (p->type == CLGRAD_PARAMETER_FLAG)
            printf("%s", p->default_value != 0 ? "true" : "false");
        else
            printf("%.7g", (double)p->default_value);
        interval(p);
    }
    printf("\n");
}

static void activations(void)
{
    printf("## Activations\n\n"
           "Elementwise, `clgrad_activation_forward` and `clgrad_activation_backward` (activation.h), fused "
           "into dense\n"
           "layers, or a layer of their own. The bounds hold over all finite float32 inputs, in units in the "
           "last place;\n"
           "[numerics.md](numerics.md) derives them and has what was measured.\n");
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        const clgrad_activation_info *info = clgrad_activation_describe((clgrad_activation_kind)kind);
        const clgrad_activation defaults = clgrad_activation_defaults((clgrad_activation_kind)kind);
        printf("\n### %s\n\n", info->name);
        line("f(x)", info->formula);
        line("f'(x)", info->derivative);
        printf("\n");
        parameters(info->parameters);
        printf("- Accuracy: forward %g ulp, backward %g ulp", (double)info->forward_ulp,
               (double)info->backward_ulp);
        if (info->backward_floor > 0)
            printf(" (of the larger of |f'| and %g, as f' crosses 0 between two float32)",
                   (double)info->backward_floor);
        printf("\n");
        if (clgrad_activation_from_output(&defaults))
            printf("- The backward pass works from the output as well, which networks use to keep one array "
                   "fewer\n");
        if (info->masks)
            printf("- dx is 0 wherever f' is 0, whatever dy is\n");
        printf("- Source: %s\n", info->source);
    }
}

static void softmaxes(void)
{
    printf("\n## Softmax\n\nOver the last dimension, `clgrad_softmax_forward` and `clgrad_softmax_backward` "
           "(softmax.h); "
           "also layers.\n");
    for (int kind = 0; kind < CLGRAD_SOFTMAX_COUNT; kind++) {
        const clgrad_softmax_info *info = clgrad_softmax_describe((clgrad_softmax_kind)kind);
        printf("\n### %s\n\n", info->name);
        line("y", info->formula);
        line("dx", info->gradient);
        printf("\n- Accuracy: %g u, u = 2^-24, as softmax.h counts it\n", (double)info->bound);
        printf("- Source: %s\n", info->source);
    }
}

static void layers(void)
{
    printf("\n## Layers\n\nWhat a network is made of (layer.h, network.h).\n");
    for (int kind = 0; kind < CLGRAD_LAYER_COUNT; kind++) {
        const clgrad_layer_info *info = clgrad_layer_describe((clgrad_layer_kind)kind);
        printf("\n### layer: %s\n\n%s.\n\n", info->name, info->description);
        line("y", info->formula);
        line("backward", info->gradient);
        printf("\n");
        parameters(info->parameters);
        printf("- Accuracy: %s\n- Source: %s\n", info->accuracy, info->source);
    }
}

static const char *const extents[] = {
    [CLGRAD_LOSS_ELEMENT] = "each element",
    [CLGRAD_LOSS_ROW] = "each row [batch, classes]",
    [CLGRAD_LOSS_WHOLE] = "the whole tensor",
    [CLGRAD_LOSS_CHANNEL] = "each position of [batch, classes, d1, ...]",
    [CLGRAD_LOSS_SEQUENCE] = "each sequence of [time, batch, classes]",
};

static const char *const loss_inputs[] = {
    [CLGRAD_LOSS_NUMBER] = "any numbers",
    [CLGRAD_LOSS_LOGIT] = "logits",
    [CLGRAD_LOSS_PROBABILITY] = "probabilities",
    [CLGRAD_LOSS_LOG_PROBABILITY] = "log-probabilities",
};

/* What a loss takes and gives besides the prediction, a target like it and the prediction's gradient. */
static void loss_flags(unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *text;
    } texts[] = {
        {CLGRAD_LOSS_TAKES_CLASSES, "class indices as target too"},
        {CLGRAD_LOSS_TAKES_INTEGERS, "int32 targets"},
        {CLGRAD_LOSS_TAKES_ROW_TARGET, "one target a row"},
        {CLGRAD_LOSS_TAKES_OTHER, "`other`"},
        {CLGRAD_LOSS_TAKES_WEIGHT, "`weight` (optional)"},
        {CLGRAD_LOSS_TAKES_CLASS_WEIGHT, "`weight` of classes (optional)"},
        {CLGRAD_LOSS_TAKES_POS_WEIGHT, "`pos_weight` (optional)"},
        {CLGRAD_LOSS_TAKES_LENGTHS, "`input_lengths`, `target_lengths`"},
    };
    const char *separator = "- Takes: ";
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (flags & texts[i].flag) {
            printf("%s%s", separator, texts[i].text);
            separator = ", ";
        }
    if (separator[0] == ',')
        printf("\n");
    if (flags & (CLGRAD_LOSS_GIVES_DTARGET | CLGRAD_LOSS_GIVES_DOTHER))
        printf("- Also differentiable by: %s%s%s\n", flags & CLGRAD_LOSS_GIVES_DTARGET ? "target" : "",
               (flags & CLGRAD_LOSS_GIVES_DTARGET) && (flags & CLGRAD_LOSS_GIVES_DOTHER) ? ", " : "",
               flags & CLGRAD_LOSS_GIVES_DOTHER ? "other" : "");
}

static void losses(void)
{
    printf("\n## Losses\n\n"
           "Value, gradients, or both in one go: `clgrad_loss_evaluate` and its short forms (loss.h, which "
           "says what the\n"
           "operands are, what mean divides by, and how the accuracy is counted). p is the prediction, t the "
           "target, o the\n"
           "other, w the weight. Reductions: none, mean, sum; batchmean for the kl_div losses. Where the "
           "prediction is\n"
           "logits the network's last layer gives scores of any size; where it is probabilities, a sigmoid "
           "or a softmax\n"
           "comes last, which gives 0 to 1. What is given is not checked: outside 0 to 1 bce gives NaN, "
           "others NaN or a\n"
           "number of no meaning (loss.h, \"Special values\").\n");
    for (int kind = 0; kind < CLGRAD_LOSS_COUNT; kind++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)kind);
        printf("\n### %s\n\n", info->name);
        line("loss", info->formula);
        line("d/dp", info->gradient);
        printf("\n- A value for %s; the prediction is %s\n", extents[info->extent], loss_inputs[info->input]);
        loss_flags(info->flags);
        parameters(info->parameters);
        printf("- Accuracy: %g u of the terms' absolute values, u = 2^-24\n- Source: %s\n",
               (double)info->bound, info->source);
    }
}

static void optimizers(void)
{
    printf(
        "\n## Optimizers\n\n"
        "One launch over the flat parameters, with one set of options or several (`clgrad_optimizer_step`,\n"
        "`clgrad_optimizer_step_groups`: optimizer.h).\n");
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer_info *info = clgrad_optimizer_describe((clgrad_optimizer_kind)kind);
        const clgrad_optimizer defaults = clgrad_optimizer_defaults((clgrad_optimizer_kind)kind);
        printf("\n### %s\n\n", info->name);
        line("step", info->formula);
        printf("\n");
        parameters(info->parameters);
        printf("- State: %zu arrays of the parameters' size at the defaults\n",
               clgrad_optimizer_slots(&defaults));
        printf("- Accuracy: %g u of the terms' absolute values, u = 2^-24\n- Source: %s\n",
               (double)info->bound, info->source);
    }
}

static void schedules(void)
{
    printf("\n## Learning-rate schedules\n\nHost functions of the step t (schedule.h).\n");
    for (int kind = 0; kind < CLGRAD_SCHEDULE_COUNT; kind++) {
        const clgrad_schedule_info *info = clgrad_schedule_describe((clgrad_schedule_kind)kind);
        printf("\n### schedule: %s\n\n", info->name);
        line("lr(t)", info->formula);
        printf("\n");
        parameters(info->parameters);
        printf("- Source: %s\n", info->source);
    }
}

static void initializers(void)
{
    printf("\n## Initialisers\n\nOf a weight [fan_out, fan_in] (random.h): the standard deviation they draw "
           "with.\n\n");
#define ROW(value, identifier, name, is_uniform, std, source) \
    printf("- %s: `%s`, %s (%s)\n", #name, #std, (is_uniform) ? "uniform" : "normal", (source));
    CLGRAD_INITIALIZER_LIST(ROW)
#undef ROW
}

int main(void)
{
    printf("# Catalogue\n\n"
           "Everything that clgrad has by name, with formulas, parameters and their defaults, accuracy and "
           "source. Written by\n"
           "`tools/catalogue.c` from the lists in `include/clgrad/`; do not edit.\n\n");
    activations();
    softmaxes();
    layers();
    losses();
    optimizers();
    schedules();
    initializers();
    return fflush(stdout) == 0 ? 0 : 1;
}
