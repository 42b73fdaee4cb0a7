/*
 * Shared by the files that make up the trainer's command line: train_options.c (reads the arguments, and
 * refuses what is contradictory), train_option_list.c (the options), train_values.c (from text to values),
 * train_layers.c (--layers and --output), train_guess.c (mistyped names) and train_help.c.
 */
#ifndef TRAIN_PARSER_H
#define TRAIN_PARSER_H

#include "train_common.h"
#include "train_options.h"

#define TRAIN_NAME_SIZE 64 /* of an option's or a parameter's name, with its NUL */
#define TRAIN_MAX_OPTIONS 64

typedef struct train_parser train_parser;

/* One option. Those that are an optimizer's parameters are not in the list: they come from clgrad's. */
typedef struct train_option {
    const char *name;  /* without the dashes */
    const char *value; /* what --help calls its value; NULL for an option without one */
    /* value is the text given, NULL where there is none; field points to the option's place in train_options
     */
    bool (*set)(train_parser *parser, const char *value, void *field);
    size_t offset; /* of that place */
    bool repeatable;
    const char *help;
} train_option;

extern const train_option train_option_list[]; /* ends with a NULL name */

/* An optimizer's parameter that was given. It is set at the end, when the optimizer is known. */
typedef struct train_setting {
    char option[TRAIN_NAME_SIZE]; /* --weight-decay, say */
    char name[TRAIN_NAME_SIZE];   /* the parameter's: weight_decay */
    const char *value;            /* NULL for a flag */
} train_setting;

struct train_parser {
    train_options *options;
    clgrad_message *message;
    char option[TRAIN_NAME_SIZE]; /* the one being read, with its dashes, for the sentences */
    bool given[TRAIN_MAX_OPTIONS];
    train_setting settings[TRAIN_MAX_OPTIONS];
    size_t setting_count;
    const char *optimizer_parameters; /* what --optimizer has after its name; NULL: nothing */
};

/*
 * What a mistyped name was perhaps meant to be: of the names that are tried the nearest, if no more than two
 * letters, and half of those given, are wrong, missing or too many. A guess begins as {.given = the name}.
 */
typedef struct train_guess {
    const char *given, *nearest; /* nearest: NULL where none is near */
    size_t edits;                /* from the one to the other */
} train_guess;

#define TRAIN_GUESS_SIZE (TRAIN_NAME_SIZE + 24)

void train_guess_try(train_guess *guess, const char *name);

/* What a sentence has of it, " (did you mean relu?)" or, as an option, --weight-decay; or nothing. */
const char *train_guess_text(const train_guess *guess, bool option, char text[TRAIN_GUESS_SIZE]);

/* Refuse a name that a list does not have. what is the list, or several: "layer or activation". */
bool train_unknown_name(train_parser *parser, const char *what, const char *name);

/* A whole number, digits alone, within the bounds. */
bool train_read_whole(train_parser *parser, const char *text, uint64_t minimum, uint64_t maximum,
                      uint64_t *number);

/* A whole number from 1 to what an int32 can count. */
bool train_read_size(train_parser *parser, const char *text, size_t *size);

/* A number from 0 to the largest float. */
bool train_read_number(train_parser *parser, const char *text, float *number);

/* The parameter of that name, or NULL. */
const clgrad_parameter *train_find_parameter(const clgrad_parameter *parameters, const char *name);

/* Set one parameter of a descriptor (an activation, a loss, an optimizer); text is NULL for a bare flag. */
bool train_set_parameter(train_parser *parser, const clgrad_parameter *parameter, const char *text,
                         void *descriptor);

/* Something that has parameters: a descriptor and its row's list of them. */
typedef struct train_owner {
    const char *name;
    const clgrad_parameter *parameters;
    void *descriptor;
} train_owner;

/*
 * Set the parameters in "parameter=value,parameter=value", or with another separator than the comma; text may
 * be NULL. second may be NULL: where a parameter is looked for that the first does not have.
 */
bool train_set_parameters(train_parser *parser, const train_owner *first, const train_owner *second,
                          char separator, const char *text);

/* Whether "parameter=value,parameter=value" has that one. text may be NULL. */
bool train_names_parameter(const char *text, const char *name);

/* The beginning of a text. One that is too long ends in "...", so that it is no name and no number. */
void train_copy_piece(const char *text, size_t length, char piece[TRAIN_NAME_SIZE]);

/* Split "name:parameters" into the name and what follows the colon, NULL where there is none. */
const char *train_split_name(const char *text, char name[TRAIN_NAME_SIZE]);

/* What a list demands beyond the intervals: NULL, or what is violated. */
const char *train_activation_violation(const clgrad_activation *activation);
const char *train_layer_violation(const clgrad_layer *layer);
const char *train_optimizer_violation(const clgrad_optimizer *optimizer);

/* Read what --layers and --output were given, once --activation is known. */
bool train_read_layers(train_parser *parser);
bool train_read_output(train_parser *parser);

/* The options as they are before the command line is read. */
train_options train_options_defaults(void);

/* PyTorch's defaults, but for SGD's learning rate, momentum and weight decay: those train well on MNIST. */
clgrad_optimizer train_optimizer_defaults(clgrad_optimizer_kind kind, bool classification);

/* PyTorch's defaults, but that what counts the steps of the whole training is 0: not given. */
clgrad_schedule train_schedule_defaults(clgrad_schedule_kind kind);

#endif
