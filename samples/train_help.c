/*
 * What --help shows. All that clgrad has to offer comes from clgrad's own lists, so that nothing here has to
 * follow when a list grows.
 */
#include "train_parser.h"

static void print_value(FILE *out, const clgrad_parameter *parameter, const void *descriptor)
{
    const float value = clgrad_parameter_get(parameter, descriptor);
    if (parameter->type == CLGRAD_PARAMETER_FLAG)
        fprintf(out, "%s", value != 0 ? "true" : "false");
    else
        fprintf(out, "%g", (double)value);
}

void train_print_parameters(FILE *out, const clgrad_parameter *parameters, const void *descriptor)
{
    for (; parameters->name != NULL; parameters++) {
        fprintf(out, " %s=", parameters->name);
        print_value(out, parameters, descriptor);
    }
}

static void print_options(FILE *out)
{
    for (const train_option *option = train_option_list; option->name != NULL; option++) {
        char left[TRAIN_NAME_SIZE];
        snprintf(left, sizeof left, "--%s %s", option->name, option->value != NULL ? option->value : "");
        fprintf(out, "  %-20s %s\n", left, option->help);
    }
}

static void print_defaults(FILE *out)
{
    const train_options defaults = train_options_defaults();
    fprintf(out, "\nDefaults: --samples %zu --layers ", defaults.samples);
    for (size_t i = 0; i < defaults.hidden_count; i++)
        fprintf(out, "%s%zu", i > 0 ? "," : "", defaults.hidden[i]);
    fprintf(out, " --activation %s --optimizer %s\n  --schedule %s --epochs %zu --seed %llu\n",
            clgrad_activation_describe(defaults.activation.kind)->name,
            clgrad_optimizer_describe(defaults.optimizer.kind)->name, train_schedule_name(defaults.schedule),
            defaults.epochs, (unsigned long long)defaults.seed);
}

static void print_activations(FILE *out)
{
    fprintf(out, "\nActivations, NAME or NAME:parameter=value,...\n");
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        const clgrad_activation_info *info = clgrad_activation_describe((clgrad_activation_kind)kind);
        const clgrad_activation defaults = clgrad_activation_defaults((clgrad_activation_kind)kind);
        fprintf(out, "  %-13s %s", info->name, info->formula);
        if (info->parameters->name != NULL)
            fprintf(out, ";");
        train_print_parameters(out, info->parameters, &defaults);
        fprintf(out, "\n");
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
    fprintf(out, "\nLosses, NAME or NAME:parameter=value,...\n");
    for (int i = 0; i < CLGRAD_LOSS_COUNT; i++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)i;
        const clgrad_loss_info *info = clgrad_loss_describe(kind);
        const clgrad_loss defaults = clgrad_loss_defaults(kind);
        if (!train_loss_fits(kind, true) && !train_loss_fits(kind, false))
            continue;
        fprintf(out, "  %-13s %s%s", info->name, info->formula, info->parameters[0].name != NULL ? ";" : "");
        train_print_parameters(out, info->parameters, &defaults);
        fprintf(out, " [%s%s%s%s%s]\n", train_loss_fits(kind, true) ? "classification" : "",
                kind == default_loss(true) ? ", its default" : "",
                train_loss_fits(kind, true) && train_loss_fits(kind, false) ? "; " : "",
                train_loss_fits(kind, false) ? "regression" : "",
                kind == default_loss(false) ? ", its default" : "");
    }
}

static void print_optimizers(FILE *out)
{
    fprintf(out, "\nOptimizers, each with the options that are its parameters and their defaults\n");
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer_info *info = clgrad_optimizer_describe((clgrad_optimizer_kind)kind);
        const clgrad_optimizer defaults = train_optimizer_defaults((clgrad_optimizer_kind)kind, true);
        const clgrad_optimizer regression = train_optimizer_defaults((clgrad_optimizer_kind)kind, false);
        fprintf(out, "  %-13s", info->name);
        for (const clgrad_parameter *parameter = info->parameters; parameter->name != NULL; parameter++) {
            fprintf(out, " --");
            for (const char *c = parameter->name; *c != '\0'; c++)
                fputc(*c == '_' ? '-' : *c, out);
            if (parameter->type != CLGRAD_PARAMETER_FLAG) {
                fprintf(out, " ");
                print_value(out, parameter, &defaults);
            }
        }
        if (regression.lr != defaults.lr)
            fprintf(out, " (for a regression --lr %g)", (double)regression.lr);
        fprintf(out, "\n");
    }
}

static void print_initializers(FILE *out)
{
    fprintf(out, "\nInitializers (by default the one that suits the activation)\n");
#define PRINT_NAME(value, identifier, name, is_uniform, std, source) \
    fprintf(out, "  %-15s %s\n", #name, source);
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
    print_activations(out);
    print_losses(out);
    print_initializers(out);
    fprintf(out, "\n"
                 "Examples\n"
                 "  train --check\n"
                 "  train --data mnist\n"
                 "  train --data iris.csv --target species\n"
                 "  train --data mpg.csv --target mpg --ignore name --skip-empty\n"
                 "\n"
                 "Exit status: 0 when all went well, 1 when something failed on the way (no device, a file "
                 "that cannot\n"
                 "be read, a --check above its tolerance), 2 when the options are refused.\n");
}
