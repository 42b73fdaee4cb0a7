/*
 * What --help shows. All that clgrad has to offer comes from clgrad's own lists, so that nothing here has to
 * follow when a list grows.
 */
#include "train_parser.h"
#include "train_target.h"

#include <stdarg.h>
#include <string.h>

#define COLUMNS 108

void train_append(char *text, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, TRAIN_LINE_SIZE - used, format, arguments);
    va_end(arguments);
}

static void append_value(char *text, const clgrad_parameter *parameter, const void *descriptor)
{
    const float value = clgrad_parameter_get(parameter, descriptor);
    if (parameter->type == CLGRAD_PARAMETER_FLAG)
        train_append(text, "%s", value != 0 ? "true" : "false");
    else if (parameter->type == CLGRAD_PARAMETER_INTEGER && value < parameter->minimum)
        train_append(text, "all"); /* a schedule's length, see train_schedule_defaults */
    else
        train_append(text, "%g", (double)value);
}

void train_describe_parameters(char *text, const clgrad_parameter *parameters, const void *descriptor)
{
    for (; parameters->name != NULL; parameters++) {
        train_append(text, " %s=", parameters->name);
        append_value(text, parameters, descriptor);
    }
}

/* "  left    text", the text wrapped into the columns to the right of the indent; below a left that is
 * longer. */
static void print_entry(FILE *out, const char *left, int indent, const char *text)
{
    int column = fprintf(out, "  %-*s", indent - 3, left);
    if (column >= indent)
        column = fprintf(out, "\n%*s", indent - 1, "") - 1;
    while (*text != '\0') {
        const int word = (int)strcspn(text, " ");
        if (column + 1 + word > COLUMNS && column > indent)
            column = fprintf(out, "\n%*s", indent - 1, "") - 1;
        column += fprintf(out, " %.*s", word, text);
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* A row of a list: its name, then in words what it is, then its parameters. */
static void print_row(FILE *out, const char *name, const char *words, const clgrad_parameter *parameters,
                      const void *defaults, const char *remark)
{
    char text[TRAIN_LINE_SIZE] = "";
    train_append(text, "%s%s", words, parameters->name != NULL ? ";" : "");
    train_describe_parameters(text, parameters, defaults);
    train_append(text, "%s", remark);
    print_entry(out, name, 18, text);
}

static void print_options(FILE *out)
{
    for (const train_option *option = train_option_list; option->name != NULL; option++) {
        char left[TRAIN_NAME_SIZE];
        snprintf(left, sizeof left, "--%s %s", option->name, option->value != NULL ? option->value : "");
        print_entry(out, left, 26, option->help);
    }
}

static void print_defaults(FILE *out)
{
    const train_options defaults = train_options_defaults();
    fprintf(out,
            "\nDefaults: --samples %zu --layers %s --activation %s --optimizer %s\n"
            "  --schedule %s --epochs %zu --seed %llu\n",
            defaults.samples, defaults.layers_text,
            clgrad_activation_describe(defaults.activation.kind)->name,
            clgrad_optimizer_describe(defaults.optimizer.kind)->name,
            clgrad_schedule_describe(defaults.schedule.kind)->name, defaults.epochs,
            (unsigned long long)defaults.seed);
}

static void print_layers(FILE *out)
{
    fprintf(out, "\nLayers, separated by commas (no blanks), their parameters by colons:\n"
                 "  --layers 256:identity,batch_norm:eps=1e-3:momentum=0.2,relu,dropout:p=0.2,128\n");
    print_entry(out, "N", 18,
                "a dense layer of N outputs with --activation; before batch_norm and without an "
                "activation it has no bias");
    print_entry(out, "N:ACTIVATION", 18, "the same with an activation of its own: 64:tanh, 64:elu:alpha=0.5");
    print_entry(out, "N:bias=false", 18, "the same without a bias");
    print_entry(out, "ACTIVATION", 18, "alone: relu, celu:alpha=2");
    for (int kind = 0; kind < CLGRAD_LAYER_COUNT; kind++) {
        const clgrad_layer_info *info = clgrad_layer_describe((clgrad_layer_kind)kind);
        const clgrad_layer defaults = clgrad_layer_defaults((clgrad_layer_kind)kind);
        if (kind != CLGRAD_LAYER_DENSE)
            print_row(out, info->name, info->description, info->parameters, &defaults, "");
    }
}

static void print_activations(FILE *out)
{
    fprintf(out, "\nActivations, --activation NAME or NAME:parameter=value,...\n");
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        const clgrad_activation_info *info = clgrad_activation_describe((clgrad_activation_kind)kind);
        const clgrad_activation defaults = clgrad_activation_defaults((clgrad_activation_kind)kind);
        print_row(out, info->name, info->formula, info->parameters, &defaults, "");
    }
}

/* The loss that a task gets where none is given. */
static clgrad_loss_kind default_loss(bool classification)
{
    train_options options = train_options_defaults();
    clgrad_message message;
    train_options_settle(&options, classification, &message);
    return options.loss.kind;
}

static void print_losses(FILE *out)
{
    fprintf(out, "\nLosses, --loss NAME or NAME:parameter=value,...; p is the prediction, t the target, o "
                 "the other, w the weight\n");
    for (int i = 0; i < CLGRAD_LOSS_COUNT; i++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)i;
        const clgrad_loss_info *info = clgrad_loss_describe(kind);
        const clgrad_loss defaults = clgrad_loss_defaults(kind);
        const bool classifies = train_loss_fits(kind, true), regresses = train_loss_fits(kind, false);
        char tasks[TRAIN_LINE_SIZE] = "";
        train_append(tasks, " [%s%s%s%s%s]", classifies ? "classification" : "",
                     kind == default_loss(true) ? ", its default" : "", classifies && regresses ? "; " : "",
                     regresses ? "regression" : "", kind == default_loss(false) ? ", its default" : "");
        print_row(out, info->name, info->formula, info->parameters, &defaults, tasks);
    }
}

static void print_optimizers(FILE *out)
{
    fprintf(out, "\nOptimizers, --optimizer NAME or NAME:parameter=value,...; each with the options that are "
                 "its parameters\n");
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer_info *info = clgrad_optimizer_describe((clgrad_optimizer_kind)kind);
        const clgrad_optimizer defaults = train_optimizer_defaults((clgrad_optimizer_kind)kind, true);
        const clgrad_optimizer regression = train_optimizer_defaults((clgrad_optimizer_kind)kind, false);
        char text[TRAIN_LINE_SIZE] = "";
        for (const clgrad_parameter *parameter = info->parameters; parameter->name != NULL; parameter++) {
            char option[TRAIN_NAME_SIZE];
            snprintf(option, sizeof option, "%s", parameter->name);
            train_exchange(option, '_', '-');
            train_append(text, " --%s", option);
            if (parameter->type != CLGRAD_PARAMETER_FLAG) {
                train_append(text, " ");
                append_value(text, parameter, &defaults);
            }
        }
        if (regression.lr != defaults.lr)
            train_append(text, " (for a regression --lr %g)", (double)regression.lr);
        print_entry(out, info->name, 18, text + 1);
    }
}

static void print_schedules(FILE *out)
{
    fprintf(out,
            "\nSchedules, --schedule NAME or NAME:parameter=value,...; t counts epochs after --warmup, for "
            "one_cycle steps;\n  reduce_on_plateau watches an epoch's loss; all: as long as the training\n");
    for (int kind = 0; kind < CLGRAD_SCHEDULE_COUNT; kind++) {
        const clgrad_schedule_info *info = clgrad_schedule_describe((clgrad_schedule_kind)kind);
        const clgrad_schedule defaults = train_schedule_defaults((clgrad_schedule_kind)kind);
        print_row(out, info->name, info->formula, info->parameters, &defaults, "");
    }
}

static void print_initializers(FILE *out)
{
    fprintf(out, "\nInitializers (by default the one that suits the activation)\n");
#define PRINT_NAME(value, identifier, name, is_uniform, std, source) print_entry(out, #name, 18, source);
    CLGRAD_INITIALIZER_LIST(PRINT_NAME)
#undef PRINT_NAME
}

void train_print_help(FILE *out)
{
    fprintf(out, "train [options]: train a network on an OpenCL device.\n"
                 "Without --data it learns digits that it draws itself.\n"
                 "\n"
                 "Options, as --name value or --name=value\n");
    print_options(out);
    print_defaults(out);
    print_optimizers(out);
    print_schedules(out);
    print_layers(out);
    print_activations(out);
    print_losses(out);
    print_initializers(out);
    fprintf(
        out,
        "\n"
        "Examples\n"
        "  train --check\n"
        "  train --data mnist\n"
        "  train --data mnist --optimizer adamw --layers 256,dropout:p=0.2,128\n"
        "  train --data iris.csv --target species\n"
        "  train --data mpg.csv --target mpg --ignore name --skip-empty\n"
        "  train --plot curves.png --plot-confusion confusion.svg --plot-errors errors.png --log epochs.csv\n"
        "  train --data spirals --plot-boundary boundary.png\n"
        "  train --data mnist --save net.safetensors --checkpoint-every 1\n"
        "  train --data mnist --save net.safetensors --resume net.safetensors\n"
        "\n"
        "Exit status: 0 when all went well, 1 when something failed on the way (no device, a file that "
        "cannot\nbe read, a --check above its tolerance), 2 when the options are refused, 128 + N when "
        "signal N has\nended a training with --save (Ctrl-C: 130). A log, a picture or a checkpoint that "
        "cannot be written, on\na full disk say, is named, and costs nothing else: the training goes on and "
        "its results are printed,\nand the exit status is 1; where a checkpoint on the way failed and the "
        "last "
        "one did not, it is 0.\n");
}
