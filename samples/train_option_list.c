/*
 * The trainer's options, one row each, and the functions that read their values. A new option is a row here,
 * a field in train_options, and its default in train_options_defaults.
 */
#define _POSIX_C_SOURCE 200809L

#include "train_parser.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool set_flag(train_parser *parser, const char *value, void *field)
{
    (void)parser, (void)value;
    *(bool *)field = true;
    return true;
}

static bool set_text(train_parser *parser, const char *value, void *field)
{
    (void)parser;
    *(const char **)field = value;
    return true;
}

static bool set_size(train_parser *parser, const char *value, void *field)
{
    return train_read_size(parser, value, field);
}

static bool set_seed(train_parser *parser, const char *value, void *field)
{
    return train_read_whole(parser, value, 0, UINT64_MAX, field);
}

/* A folder holds IDX files, a file is CSV; of what is not there, the name decides which error is reported. */
static bool set_data(train_parser *parser, const char *value, void *field)
{
    struct stat status;
    size_t length = strlen(value);
    bool is_csv = length >= 4 && strcasecmp(value + length - 4, ".csv") == 0;
    if (stat(value, &status) == 0)
        is_csv = !S_ISDIR(status.st_mode);
    parser->options->source = is_csv ? TRAIN_CSV : TRAIN_IDX;
    return set_text(parser, value, field);
}

static bool set_task(train_parser *parser, const char *value, void *field)
{
    if (strcmp(value, "classify") == 0)
        *(dataset_task *)field = DATASET_TASK_CLASSIFY;
    else if (strcmp(value, "regress") == 0)
        *(dataset_task *)field = DATASET_TASK_REGRESS;
    else
        return train_refuse(parser->message, "--task \"%s\": it takes classify or regress", value);
    return true;
}

static bool set_ignore(train_parser *parser, const char *value, void *field)
{
    (void)field;
    train_options *options = parser->options;
    if (options->ignore_count == TRAIN_MAX_IGNORED)
        return train_refuse(parser->message, "--ignore \"%s\": at most %d columns can be ignored", value,
                            TRAIN_MAX_IGNORED);
    options->ignore[options->ignore_count++] = value;
    return true;
}

static bool set_layers(train_parser *parser, const char *value, void *field)
{
    (void)field;
    train_options *options = parser->options;
    options->hidden_count = 0;
    if (strcmp(value, "none") == 0)
        return true;
    for (const char *text = value; text != NULL;) {
        char width[TRAIN_NAME_SIZE];
        size_t length = strcspn(text, ",");
        snprintf(width, sizeof width, "%.*s", (int)length, text);
        if (options->hidden_count == TRAIN_MAX_HIDDEN)
            return train_refuse(parser->message, "--layers \"%s\": at most %d hidden layers", value,
                                TRAIN_MAX_HIDDEN);
        if (!train_read_size(parser, width, &options->hidden[options->hidden_count++]))
            return false;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return true;
}

static bool unknown_name(train_parser *parser, const char *what, const char *name)
{
    return train_refuse(parser->message, "%s: there is no %s \"%s\"; --help lists them", parser->option, what,
                        name);
}

static bool set_activation(train_parser *parser, const char *value, void *field)
{
    char name[TRAIN_NAME_SIZE];
    clgrad_activation_kind kind;
    const char *parameters = train_split_name(value, name);
    if (!clgrad_activation_parse(name, &kind))
        return unknown_name(parser, "activation", name);
    *(clgrad_activation *)field = clgrad_activation_defaults(kind);
    return train_set_parameters(parser, name, clgrad_activation_describe(kind)->parameters, parameters,
                                field);
}

static bool set_loss(train_parser *parser, const char *value, void *field)
{
    char name[TRAIN_NAME_SIZE];
    clgrad_loss_kind kind;
    const char *parameters = train_split_name(value, name);
    if (!clgrad_loss_parse(name, &kind))
        return unknown_name(parser, "loss", name);
    parser->options->loss_given = true;
    *(clgrad_loss *)field = clgrad_loss_defaults(kind);
    return train_set_parameters(parser, name, clgrad_loss_describe(kind)->parameters, parameters, field);
}

static bool set_initializer(train_parser *parser, const char *value, void *field)
{
    parser->options->initializer_given = true;
    return clgrad_initializer_parse(value, field) || unknown_name(parser, "initializer", value);
}

static bool set_optimizer(train_parser *parser, const char *value, void *field)
{
    clgrad_optimizer_kind kind;
    if (!clgrad_optimizer_parse(value, &kind))
        return unknown_name(parser, "optimizer", value);
    *(clgrad_optimizer *)field = train_optimizer_defaults(kind, true);
    return true;
}

static bool set_schedule(train_parser *parser, const char *value, void *field)
{
    for (train_schedule schedule = TRAIN_CONSTANT; schedule <= TRAIN_COSINE; schedule++) {
        if (strcmp(value, train_schedule_name(schedule)) == 0) {
            *(train_schedule *)field = schedule;
            return true;
        }
    }
    return train_refuse(parser->message, "--schedule \"%s\": it takes constant, linear or cosine", value);
}

static bool set_check(train_parser *parser, const char *value, void *field)
{
    *(size_t *)field = 5;
    return value == NULL || train_read_size(parser, value, field);
}

#define AT(field) offsetof(train_options, field)

const train_option train_option_list[] = {
    {"device", "SPEC", set_text, AT(device), false,
     "where to train: opencl, opencl:gpu, opencl:cpu, opencl:P.D, reference"},
    {"list-devices", NULL, set_flag, AT(list_devices), false, "list the devices of this machine and stop"},
    {"data", "PATH", set_data, AT(data), false,
     "a folder with MNIST's four IDX files, or a CSV file with a header"},
    {"samples", "N", set_size, AT(samples), false, "without --data: how many digits to draw for training"},
    {"target", "COLUMN", set_text, AT(target), false, "CSV: the column to learn"},
    {"task", "TASK", set_task, AT(task), false, "CSV: classify or regress, where the target does not say"},
    {"ignore", "COLUMN", set_ignore, AT(ignore), true, "CSV: a column to leave out; may be repeated"},
    {"skip-empty", NULL, set_flag, AT(skip_empty), false, "CSV: leave out rows that have an empty cell"},
    {"layers", "N,N,...", set_layers, AT(hidden), false, "widths of the hidden layers, or none"},
    {"activation", "NAME", set_activation, AT(activation), false, "of the hidden layers, see below"},
    {"initializer", "NAME", set_initializer, AT(initializer), false, "of the weights, see below"},
    {"loss", "NAME", set_loss, AT(loss), false, "see below"},
    {"optimizer", "NAME", set_optimizer, AT(optimizer), false, "its parameters are options too, see below"},
    {"schedule", "NAME", set_schedule, AT(schedule), false,
     "of lr over the epochs: constant, linear or cosine"},
    {"batch", "N", set_size, AT(batch), false,
     "rows a step (64, or an eighth of the rows where they are few)"},
    {"epochs", "N", set_size, AT(epochs), false, "passes over the training rows"},
    {"seed", "N", set_seed, AT(seed), false, "of the digits, the CSV's split, the weights and the batches"},
    {"check", "[N]", set_check, AT(check_steps), false,
     "first repeat N steps on the reference device and compare"},
    {"help", NULL, set_flag, AT(help), false, "show this and stop"},
    {NULL, NULL, NULL, 0, false, NULL},
};
