#include "train_data.h"
#include "train_parser.h"
#include "train_target.h"

#include <math.h>
#include <string.h>

#define TRAIN_BATCH 64

train_options train_options_defaults(void)
{
    return (train_options){
        .samples = 10000,
        .layers_text = "256,128",
        .activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU),
        .pos_weight = NAN,
        .optimizer = train_optimizer_defaults(CLGRAD_OPTIMIZER_SGD, true),
        .clip_norm = INFINITY,
        .clip_value = INFINITY,
        .accumulate = 1,
        .schedule = train_schedule_defaults(CLGRAD_SCHEDULE_POLYNOMIAL),
        .epochs = 10,
        .seed = 1,
    };
}

clgrad_optimizer train_optimizer_defaults(clgrad_optimizer_kind kind, bool classification)
{
    clgrad_optimizer optimizer = clgrad_optimizer_defaults(kind);
    if (kind == CLGRAD_OPTIMIZER_SGD) {
        optimizer.lr = classification ? 0.1f : 0.01f; /* the squared error's gradient knows no bound */
        optimizer.momentum = 0.9f;
        optimizer.weight_decay = 0.0005f;
    }
    return optimizer;
}

clgrad_schedule train_schedule_defaults(clgrad_schedule_kind kind)
{
    clgrad_schedule schedule = clgrad_schedule_defaults(kind);
    schedule.total_iters = schedule.T_max = schedule.total_steps = 0;
    return schedule;
}

size_t train_options_batch(const train_options *options, size_t rows)
{
    size_t batch = options->batch;
    if (batch == 0)
        batch = rows < 8 ? 1 : rows / 8 < TRAIN_BATCH ? rows / 8 : TRAIN_BATCH;
    return batch < rows ? batch : rows;
}

/* The names of the losses for which something holds, separated by commas. */
static void name_losses(char *text, size_t size, bool (*holds)(clgrad_loss_kind kind, bool flag), bool flag)
{
    size_t used = 0;
    text[0] = '\0';
    for (int kind = 0; kind < CLGRAD_LOSS_COUNT && used < size; kind++)
        if (holds((clgrad_loss_kind)kind, flag))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     clgrad_loss_describe((clgrad_loss_kind)kind)->name);
}

/* Whether a loss takes weights, of classes (one for each output will do) or of positive targets. */
static bool takes_weights(clgrad_loss_kind kind, bool positive)
{
    const unsigned wanted =
        positive ? CLGRAD_LOSS_TAKES_POS_WEIGHT : CLGRAD_LOSS_TAKES_CLASS_WEIGHT | CLGRAD_LOSS_TAKES_WEIGHT;
    return (clgrad_loss_describe(kind)->flags & wanted) != 0;
}

bool train_options_settle(train_options *options, bool classification, clgrad_message *message)
{
    char names[512];
    if (!options->lr_given)
        options->optimizer.lr = train_optimizer_defaults(options->optimizer.kind, classification).lr;
    if (!options->loss_given)
        options->loss = clgrad_loss_defaults(classification ? CLGRAD_LOSS_CROSS_ENTROPY : CLGRAD_LOSS_MSE);
    if (!options->output_given)
        options->output = train_loss_output(&options->loss);

    const char *loss = clgrad_loss_describe(options->loss.kind)->name;
    if (!train_loss_fits(options->loss.kind, classification)) {
        name_losses(names, sizeof names, train_loss_fits, classification);
        return train_refuse(message, "--loss %s does not fit a %s: %s do", loss,
                            classification ? "classification" : "regression", names);
    }
    if ((options->balanced || options->class_weight_count > 0) && !takes_weights(options->loss.kind, false)) {
        name_losses(names, sizeof names, takes_weights, false);
        return train_refuse(message, "--class-weights: %s takes none: %s do", loss, names);
    }
    if (!isnan(options->pos_weight) && !takes_weights(options->loss.kind, true)) {
        name_losses(names, sizeof names, takes_weights, true);
        return train_refuse(message, "--pos-weight is for %s, not for %s", names, loss);
    }
    return true;
}

const char *train_options_data(const train_options *options)
{
    if (options->data != NULL)
        return options->data;
    return options->source == TRAIN_SPIRALS ? "spirals drawn by the trainer" : "digits drawn by the trainer";
}

/* Whether the data is such that there is something to see in the pictures. */
static bool pictures_fit(const train_options *options, const dataset *train, clgrad_message *message)
{
    static const struct {
        train_picture picture;
        const char *option;
    } of_classes[] = {{TRAIN_CONFUSION, "confusion"}, {TRAIN_BOUNDARY, "boundary"}, {TRAIN_ERRORS, "errors"}};
    for (size_t i = 0; i < sizeof of_classes / sizeof *of_classes; i++)
        if (options->pictures[of_classes[i].picture] != NULL && train->class_count == 0)
            return train_refuse(message, "--plot-%s is for a classification, and this is a regression",
                                of_classes[i].option);
    if (options->pictures[TRAIN_BOUNDARY] != NULL && train->features != 2)
        return train_refuse(message, "--plot-boundary is for data of two features, this has %zu",
                            train->features);
    if (options->pictures[TRAIN_ERRORS] != NULL && train->width == 0)
        return train_refuse(message, "--plot-errors is for images, and the rows of %s are none",
                            train_options_data(options));
    return true;
}

bool train_options_fit(train_options *options, const dataset *train, clgrad_message *message)
{
    if (!train_options_settle(options, train->class_count > 0, message) ||
        !train_loss_suits(&options->loss, train, message))
        return false;
    if (options->class_weight_count > 0 && options->class_weight_count != train->class_count)
        return train_refuse(message, "--class-weights has %zu weights, but the data has %zu classes",
                            options->class_weight_count, train->class_count);
    return pictures_fit(options, train, message);
}

/* Whether an option was given, by its name. */
static bool given(const train_parser *parser, const char *name)
{
    for (size_t i = 0; train_option_list[i].name != NULL; i++)
        if (strcmp(train_option_list[i].name, name) == 0)
            return parser->given[i];
    return false;
}

/*
 * Take the value of an option: after "=", or the next argument. An option whose value may be left out, "[N]",
 * takes the next argument only where it begins with a digit.
 */
static bool take_value(train_parser *parser, const char *name, const char *attached, char ***next,
                       const char **value)
{
    bool optional = name != NULL && name[0] == '[';
    const char *following = **next;
    *value = attached;
    if (name == NULL && attached != NULL)
        return train_refuse(parser->message, "%s takes no value", parser->option);
    if (name == NULL || attached != NULL)
        return true;
    if (following == NULL ||
        (optional ? strspn(following, "0123456789") == 0 : strncmp(following, "--", 2) == 0))
        return optional || train_refuse(parser->message, "%s needs a value", parser->option);
    *value = following;
    (*next)++;
    return true;
}

/* Neither the list has it nor an optimizer. */
static bool refuse_option(train_parser *parser)
{
    char hint[TRAIN_GUESS_SIZE];
    train_guess guess = {.given = parser->option + 2};
    for (size_t i = 0; train_option_list[i].name != NULL; i++)
        train_guess_try(&guess, train_option_list[i].name);
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++)
        for (const clgrad_parameter *p = clgrad_optimizer_describe((clgrad_optimizer_kind)kind)->parameters;
             p->name != NULL; p++)
            train_guess_try(&guess, p->name);
    return train_refuse(parser->message, "there is no option %s%s; --help lists them", parser->option,
                        train_guess_text(&guess, true, hint));
}

/* An option that is not in the list may be an optimizer's parameter: --weight-decay sets weight_decay. */
static bool read_setting(train_parser *parser, const char *attached, char ***next)
{
    train_setting *setting = &parser->settings[parser->setting_count];
    const clgrad_parameter *parameter = NULL;
    memcpy(setting->option, parser->option, sizeof setting->option);
    snprintf(setting->name, sizeof setting->name, "%s", parser->option + 2);
    train_exchange(setting->name, '-', '_');
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT && parameter == NULL; kind++)
        parameter = train_find_parameter(clgrad_optimizer_describe((clgrad_optimizer_kind)kind)->parameters,
                                         setting->name);
    if (parameter == NULL)
        return refuse_option(parser);
    for (size_t i = 0; i < parser->setting_count; i++)
        if (strcmp(parser->settings[i].name, setting->name) == 0)
            return train_refuse(parser->message, "%s is given twice", parser->option);
    if (parser->setting_count == TRAIN_MAX_OPTIONS - 1)
        return train_refuse(parser->message, "%s: too many options", parser->option);
    parser->setting_count++;
    return take_value(parser, parameter->type == CLGRAD_PARAMETER_FLAG ? NULL : "N", attached, next,
                      &setting->value);
}

/* Read one option and its value, and move on. */
static bool read_option(train_parser *parser, char ***next)
{
    const char *argument = *(*next)++;
    if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0')
        return train_refuse(parser->message, "\"%s\" is not an option; --help lists them", argument);
    size_t length = strcspn(argument, "=");
    const char *attached = argument[length] == '=' ? argument + length + 1 : NULL;
    snprintf(parser->option, sizeof parser->option, "%.*s", (int)length, argument);

    for (size_t i = 0; train_option_list[i].name != NULL; i++) {
        const train_option *option = &train_option_list[i];
        const char *value;
        if (strcmp(option->name, parser->option + 2) != 0)
            continue;
        if (parser->given[i] && !option->repeatable)
            return train_refuse(parser->message, "%s is given twice", parser->option);
        parser->given[i] = true;
        return take_value(parser, option->value, attached, next, &value) &&
               option->set(parser, value, (char *)parser->options + option->offset);
    }
    return read_setting(parser, attached, next);
}

static bool apply_settings(train_parser *parser)
{
    clgrad_optimizer *optimizer = &parser->options->optimizer;
    const clgrad_optimizer_info *info = clgrad_optimizer_describe(optimizer->kind);
    for (size_t i = 0; i < parser->setting_count; i++) {
        const train_setting *setting = &parser->settings[i];
        const clgrad_parameter *parameter = train_find_parameter(info->parameters, setting->name);
        memcpy(parser->option, setting->option, sizeof parser->option);
        if (parameter == NULL)
            return train_refuse(parser->message, "%s: %s has no parameter %s", parser->option, info->name,
                                setting->name);
        if (train_names_parameter(parser->optimizer_parameters, setting->name))
            return train_refuse(parser->message, "%s: --optimizer gives %s too", parser->option,
                                setting->name);
        if (!train_set_parameter(parser, parameter, setting->value, optimizer))
            return false;
        parser->options->lr_given |= strcmp(setting->name, "lr") == 0;
    }
    const char *violated = train_optimizer_violation(optimizer);
    return violated == NULL || train_refuse(parser->message, "--optimizer %s: %s", info->name, violated);
}

/* An option for CSV files alone was given with something else. */
static bool refuse_csv_only(const train_parser *parser, const char *option)
{
    const char *data = parser->options->data;
    char csv[TRAIN_LINE_SIZE] = "";
    if (data != NULL)
        train_data_csv_in(data, csv);
    return train_refuse(parser->message, "--%s is for a CSV file, and %s%s%.700s", option,
                        data != NULL ? "--data is a folder" : "the trainer draws the data",
                        csv[0] != '\0' ? "; the file in it would be given by --data " : "", csv);
}

static bool refuse_contradictions(train_parser *parser)
{
    static const char *const csv_only[] = {"target", "task", "ignore", "skip-empty"};
    train_options *options = parser->options;
    for (size_t i = 0; i < sizeof csv_only / sizeof *csv_only; i++)
        if (given(parser, csv_only[i]) && options->source != TRAIN_CSV)
            return refuse_csv_only(parser, csv_only[i]);
    if (options->source == TRAIN_CSV && options->target == NULL)
        return train_data_without_target(options, parser->message);
    if (given(parser, "samples") && options->data != NULL)
        return train_refuse(parser->message,
                            "--samples counts what the trainer draws, it cannot go with --data %s",
                            options->data);
    if (given(parser, "activation") && options->layer_count == 0)
        return train_refuse(parser->message, "--activation is for hidden layers, and --layers is none");
    if (options->warmup >= options->epochs)
        return train_refuse(parser->message, "--warmup %zu: there are %zu epochs, it must be fewer",
                            options->warmup, options->epochs);
    if (options->checkpoint_every > 0 && options->save == NULL)
        return train_refuse(parser->message, "--checkpoint-every needs --save, the file to write");
    if (options->load != NULL && options->resume != NULL)
        return train_refuse(parser->message,
                            "--load and --resume cannot go together: --resume loads everything");
    const clgrad_optimizer_info *optimizer = clgrad_optimizer_describe(options->optimizer.kind);
    if (options->no_bias_decay && train_find_parameter(optimizer->parameters, "weight_decay") == NULL)
        return train_refuse(parser->message, "--no-bias-decay: %s has no weight decay", optimizer->name);
    if (options->source != TRAIN_CSV || options->task != DATASET_TASK_AUTO)
        return train_options_settle(options, options->task != DATASET_TASK_REGRESS, parser->message);
    return true;
}

bool train_options_parse(int argc, char **argv, train_options *options, clgrad_message *message)
{
    train_parser parser = {.options = options, .message = message};
    *options = train_options_defaults();
    char **next = argc > 0 ? argv + 1 : argv; /* argv ends with NULL */
    while (*next != NULL) {
        if (!read_option(&parser, &next))
            return false;
        if (options->help)
            return *next == NULL || strncmp(*next, "--", 2) == 0 ||
                   train_refuse(message, "--help takes no value, and \"%s\" follows it", *next);
    }
    return apply_settings(&parser) && train_read_layers(&parser) && train_read_output(&parser) &&
           (options->list_devices || refuse_contradictions(&parser));
}
