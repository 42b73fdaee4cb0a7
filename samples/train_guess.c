/*
 * What a mistyped name was perhaps meant to be.
 */
#include "train_parser.h"

#include <string.h>

#define MOST_EDITS 2

static bool same_letter(char a, char b)
{
    return a == b || (a == '_' && b == '-') || (a == '-' && b == '_');
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * How many letters have to be put in, left out or replaced between two names (Levenshtein's distance): row
 * has it for what has been seen of the one name and each beginning of the other.
 */
static size_t edits_between(const char *given, const char *name)
{
    size_t row[TRAIN_NAME_SIZE];
    const size_t length = strlen(name);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; given[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            const size_t replaced = diagonal + (same_letter(given[i], name[j]) ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[length];
}

void train_guess_try(train_guess *guess, const char *name)
{
    if (strlen(name) >= TRAIN_NAME_SIZE)
        return;
    const size_t edits = edits_between(guess->given, name);
    const size_t most = guess->nearest != NULL ? guess->edits - 1 : MOST_EDITS;
    if (edits > most || 2 * edits > strlen(guess->given))
        return;
    guess->nearest = name;
    guess->edits = edits;
}

const char *train_guess_text(const train_guess *guess, bool option, char text[TRAIN_GUESS_SIZE])
{
    text[0] = '\0';
    if (guess->nearest == NULL)
        return text;
    snprintf(text, TRAIN_GUESS_SIZE, " (did you mean %s%s?)", option ? "--" : "", guess->nearest);
    if (option)
        train_exchange(text, '_', '-');
    return text;
}

/* ---- the names of clgrad's lists ---- */

#define ACTIVATION(value, identifier, name, ...) {"activation", #name},
#define LAYER(value, identifier, name, ...) {"layer", #name},
#define LOSS(value, identifier, name, ...) {"loss", #name},
#define OPTIMIZER(value, identifier, name, ...) {"optimizer", #name},
#define SCHEDULE(value, identifier, name, ...) {"schedule", #name},
#define INITIALIZER(value, identifier, name, ...) {"initializer", #name},

static const struct {
    const char *what, *name;
} names[] = {CLGRAD_ACTIVATION_LIST(ACTIVATION) CLGRAD_LAYER_LIST(LAYER) CLGRAD_LOSS_LIST(LOSS)
                 CLGRAD_OPTIMIZER_LIST(OPTIMIZER) CLGRAD_SCHEDULE_LIST(SCHEDULE)
                     CLGRAD_INITIALIZER_LIST(INITIALIZER)};

bool train_unknown_name(train_parser *parser, const char *what, const char *name)
{
    char hint[TRAIN_GUESS_SIZE];
    train_guess guess = {.given = name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strstr(what, names[i].what) != NULL)
            train_guess_try(&guess, names[i].name);
    return train_refuse(parser->message, "%s: there is no %s \"%s\"%s; --help lists them", parser->option,
                        what, name, train_guess_text(&guess, false, hint));
}
