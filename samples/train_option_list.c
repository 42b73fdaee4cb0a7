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

/*
 * What the trainer draws has a name; anything else is a path. A folder holds IDX files, a file is CSV; of
 * what is not there, the name decides which error is reported.
 */
static bool set_data(train_parser *parser, const char *value, void *field)
{
    struct stat status;
    const bool digits = strcmp(value, "digits") == 0;
    if (digits || strcmp(value, "spirals") == 0) {
        parser->options->source = digits ? TRAIN_DIGITS : TRAIN_SPIRALS;
        return true;
    }
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

static bool set_activation(train_parser *parser, const char *value, void *field)
{
    char name[TRAIN_NAME_SIZE];
    clgrad_activation_kind kind;
    const char *parameters = train_split_name(value, name);
    if (!clgrad_activation_parse(name, &kind))
        return train_unknown_name(parser, "activation", name);
    *(clgrad_activation *)field = clgrad_activation_defaults(kind);
    const train_owner owner = {name, clgrad_activation_describe(kind)->parameters, field};
    if (!train_set_parameters(parser, &owner, NULL, ',', parameters))
        return false;
    const char *violation = train_activation_violation(field);
    return violation == NULL || train_refuse(parser->message, "--activation \"%s\": %s", value, violation);
}

static bool set_loss(train_parser *parser, const char *value, void *field)
{
    char name[TRAIN_NAME_SIZE];
    clgrad_loss_kind kind;
    const char *parameters = train_split_name(value, name);
    if (!clgrad_loss_parse(name, &kind))
        return train_unknown_name(parser, "loss", name);
    parser->options->loss_given = true;
    *(clgrad_loss *)field = clgrad_loss_defaults(kind);
    const train_owner owner = {name, clgrad_loss_describe(kind)->parameters, field};
    return train_set_parameters(parser, &owner, NULL, ',', parameters);
}

static bool set_initializer(train_parser *parser, const char *value, void *field)
{
    parser->options->initializer_given = true;
    return clgrad_initializer_parse(value, field) || train_unknown_name(parser, "initializer", value);
}

static bool set_optimizer(train_parser *parser, const char *value, void *field)
{
    char name[TRAIN_NAME_SIZE];
    clgrad_optimizer_kind kind;
    const char *parameters = train_split_name(value, name);
    if (!clgrad_optimizer_parse(name, &kind))
        return train_unknown_name(parser, "optimizer", name);
    *(clgrad_optimizer *)field = train_optimizer_defaults(kind, true);
    parser->optimizer_parameters = parameters;
    parser->options->lr_given = train_names_parameter(parameters, "lr");
    const train_owner owner = {name, clgrad_optimizer_describe(kind)->parameters, field};
    return train_set_parameters(parser, &owner, NULL, ',', parameters);
}

static bool set_schedule(train_parser *parser, const char *value, void *field)
{
    char name[TRAIN_NAME_SIZE];
    clgrad_schedule_kind kind;
    const char *parameters = train_split_name(value, name);
    if (!clgrad_schedule_parse(name, &kind))
        return train_unknown_name(parser, "schedule", name);
    *(clgrad_schedule *)field = train_schedule_defaults(kind);
    const train_owner owner = {name, clgrad_schedule_describe(kind)->parameters, field};
    return train_set_parameters(parser, &owner, NULL, ',', parameters);
}

static bool set_number(train_parser *parser, const char *value, void *field)
{
    return train_read_number(parser, value, field);
}

/* "balanced", or a number for each class. */
static bool set_class_weights(train_parser *parser, const char *value, void *field)
{
    train_options *options = parser->options;
    float *weights = field;
    options->balanced = strcmp(value, "balanced") == 0;
    for (const char *text = options->balanced ? NULL : value; text != NULL;) {
        char number[TRAIN_NAME_SIZE];
        const size_t length = strcspn(text, ",");
        if (options->class_weight_count == TRAIN_MAX_CLASS_WEIGHTS)
            return train_refuse(parser->message, "--class-weights: at most %d of them",
                                TRAIN_MAX_CLASS_WEIGHTS);
        train_copy_piece(text, length, number);
        if (!train_read_number(parser, number, &weights[options->class_weight_count++]))
            return false;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return true;
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
     "a folder with MNIST's four IDX files, or a CSV file with a header; or what the trainer draws itself: "
     "digits (the "
     "default), spirals"},
    {"samples", "N", set_size, AT(samples), false,
     "how many digits, or points of spirals, to draw for training; a fifth as many for the test"},
    {"target", "COLUMN", set_text, AT(target), false, "CSV: the column to learn"},
    {"task", "TASK", set_task, AT(task), false, "CSV: classify or regress, where the target does not say"},
    {"ignore", "COLUMN", set_ignore, AT(ignore), true, "CSV: a column to leave out; may be repeated"},
    {"skip-empty", NULL, set_flag, AT(skip_empty), false, "CSV: leave out rows that have an empty cell"},
    {"layers", "LAYERS", set_text, AT(layers_text), false,
     "before the output layer, see below; 256,128 means two dense layers; or none"},
    {"activation", "NAME", set_activation, AT(activation), false,
     "of the dense layers that name none of their own, see below"},
    {"output", "NAME", set_text, AT(output_text), false,
     "an activation or a layer after the last dense layer; by default what suits the loss"},
    {"initializer", "NAME", set_initializer, AT(initializer), false, "of the weights, see below"},
    {"loss", "NAME", set_loss, AT(loss), false, "see below"},
    {"class-weights", "W,W,...", set_class_weights, AT(class_weights), false,
     "weights of the classes in the loss, or balanced: by how rare a class is"},
    {"pos-weight", "N", set_number, AT(pos_weight), false, "bce_with_logits: weight of the positive targets"},
    {"optimizer", "NAME", set_optimizer, AT(optimizer), false,
     "its parameters are options too, see below; or NAME:parameter=value,..."},
    {"no-bias-decay", NULL, set_flag, AT(no_bias_decay), false,
     "weight decay for the dense layers' weights alone: not biases, normalisations, PReLU"},
    {"clip-norm", "N", set_number, AT(clip_norm), false, "clip the norm of all gradients to N"},
    {"clip-value", "N", set_number, AT(clip_value), false, "clip every gradient to -N ... N"},
    {"accumulate", "N", set_size, AT(accumulate), false,
     "batches a step of the optimizer, their gradients averaged"},
    {"schedule", "NAME", set_schedule, AT(schedule), false, "of the learning rate, see below"},
    {"warmup", "N", set_size, AT(warmup), false,
     "epochs in which the learning rate rises from 0, before the schedule begins"},
    {"batch", "N", set_size, AT(batch), false,
     "rows a batch (64, or an eighth of the rows where they are few; at most all rows); the last of an epoch "
     "may have "
     "fewer, but with batch_norm a single row joins the batch before it"},
    {"epochs", "N", set_size, AT(epochs), false, "passes over the training rows"},
    {"seed", "N", set_seed, AT(seed), false, "of the digits, the CSV's split, the weights and the batches"},
    {"check", "[N]", set_check, AT(check_steps), false,
     "first repeat N steps on the reference device and compare"},
    {"detect-anomaly", NULL, set_flag, AT(detect_anomaly), false,
     "look at every result, and stop at the first that is NaN or infinite, by name; slower"},
    {"save", "FILE", set_text, AT(save), false,
     "a checkpoint at the end, and where an interrupt (Ctrl-C) ends the training"},
    {"checkpoint-every", "N", set_size, AT(checkpoint_every), false, "with --save: also every N epochs"},
    {"resume", "FILE", set_text, AT(resume), false,
     "go on from a checkpoint, with the same options: it ends as if there had been no stop"},
    {"load", "FILE", set_text, AT(load), false,
     "begin with the parameters of a checkpoint, or of any safetensors file with PyTorch's names"},
#define PICTURE(identifier, option, help) \
    {option, "FILE", set_text, AT(pictures[TRAIN_##identifier]), false, help},
    TRAIN_PICTURE_LIST(PICTURE)
#undef PICTURE
        {"log", "FILE", set_text, AT(log), false,
         "a table, CSV: loss, accuracy, learning rate and time of every epoch; with --resume what is there "
         "is continued"},
    {"help", NULL, set_flag, AT(help), false, "show this and stop"},
    {NULL, NULL, NULL, 0, false, NULL},
};
