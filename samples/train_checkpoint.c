#define _POSIX_C_SOURCE 200809L

#include "train_checkpoint.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

/* ---- interrupts ---- */

static volatile sig_atomic_t interrupt;

static void note_interrupt(int number)
{
    interrupt = number;
}

static void set_handlers(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_flags = flags};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void train_catch_interrupts(void)
{
    set_handlers(note_interrupt, (int)SA_RESETHAND | SA_RESTART);
}

void train_release_interrupts(void)
{
    set_handlers(SIG_DFL, 0);
}

int train_interrupted(void)
{
    return interrupt;
}

/* ---- what two trainings must have in common ---- */

/* A note of the file. */
typedef struct pair {
    const char *name;
    char text[TRAIN_LINE_SIZE];
} pair;

/* Those that must be the same, and behind them the position. */
enum { DATA, SEED, BATCH, ACCUMULATE, SCHEDULE, WARMUP, CLASS_WEIGHTS, POS_WEIGHT, POSITION, PAIRS };
static const char *const names[PAIRS] = {"data",   "seed",          "batch",      "accumulate", "schedule",
                                         "warmup", "class-weights", "pos-weight", "position"};

/* FNV-1a in 64 bits (Fowler, Noll, Vo): good enough to notice that the data is other data. */
static uint64_t hash(uint64_t state, const void *bytes, size_t count)
{
    for (size_t i = 0; bytes != NULL && i < count; i++)
        state = (state ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return state;
}

static void describe_data(char *text, const dataset *train)
{
    uint64_t sum = hash(0xcbf29ce484222325u, train->x, train->rows * train->features * sizeof *train->x);
    sum = hash(sum, train->classes, train->rows * sizeof *train->classes);
    sum = hash(sum, train->y, train->rows * sizeof *train->y);
    train_append(text, "%zu rows of %zu features, checksum %016" PRIx64, train->rows, train->features, sum);
}

/* Nine digits, so that no two rates look alike. */
static void describe_schedule(char *text, const train_pace *pace)
{
    const clgrad_schedule_info *info = clgrad_schedule_describe(pace->schedule.kind);
    train_append(text, "%s lr=%.9g", info->name, pace->lr);
    for (const clgrad_parameter *p = info->parameters; p->name != NULL; p++)
        train_append(text, " %s=%.9g", p->name, (double)clgrad_parameter_get(p, &pace->schedule));
}

static void describe_class_weights(char *text, const train_options *options)
{
    if (options->balanced || options->class_weight_count == 0)
        train_append(text, "%s", options->balanced ? "balanced" : "none");
    for (size_t i = 0; i < options->class_weight_count; i++)
        train_append(text, "%s%.9g", i > 0 ? "," : "", (double)options->class_weights[i]);
}

/* ---- where a training stands ---- */

/* Fractions in hexadecimal, which is exact. */
static void describe_position(char *text, const train_session *session, const train_position *position)
{
    const clgrad_plateau *plateau = &session->pace.plateau;
    train_append(text, "epoch=%zu batch=%zu rows=%zu loss_sum=%a", position->epoch, position->batch,
                 position->rows, position->loss_sum);
    if (session->pace.schedule.kind == CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU)
        train_append(text, " plateau=%a,%a,%" PRIu64 ",%" PRIu64, plateau->lr, plateau->best, plateau->bad,
                     plateau->cooldown);
}

/* The same read back: it must come out so again, and be a place where this training can stand. */
static bool read_position(const char *text, train_session *session, train_position *position)
{
    char again[TRAIN_LINE_SIZE] = "";
    train_position *p = position;
    clgrad_plateau *plateau = &session->pace.plateau;
    sscanf(text, "epoch=%zu batch=%zu rows=%zu loss_sum=%la plateau=%la,%la,%" SCNu64 ",%" SCNu64, &p->epoch,
           &p->batch, &p->rows, &p->loss_sum, &plateau->lr, &plateau->best, &plateau->bad,
           &plateau->cooldown);
    describe_position(again, session, p);
    return strcmp(text, again) == 0 && p->batch < session->batches && p->rows == p->batch * session->batch;
}

/* ---- files ---- */

static void describe(const train_session *session, const dataset *train, const train_position *position,
                     pair pairs[PAIRS])
{
    const train_options *options = session->options;
    memset(pairs, 0, PAIRS * sizeof *pairs);
    for (size_t i = 0; i < PAIRS; i++)
        pairs[i].name = names[i];
    describe_data(pairs[DATA].text, train);
    train_append(pairs[SEED].text, "%" PRIu64, options->seed);
    train_append(pairs[BATCH].text, "%zu", session->batch);
    train_append(pairs[ACCUMULATE].text, "%zu", options->accumulate);
    describe_schedule(pairs[SCHEDULE].text, &session->pace);
    train_append(pairs[WARMUP].text, "%zu", options->warmup);
    describe_class_weights(pairs[CLASS_WEIGHTS].text, options);
    train_append(pairs[POS_WEIGHT].text, "%.9g", (double)options->pos_weight);
    describe_position(pairs[POSITION].text, session, position);
}

bool train_checkpoint_save(const train_session *session, const dataset *train, const train_position *position,
                           const char *path, clgrad_message *message)
{
    static pair pairs[PAIRS];
    clgrad_note notes[PAIRS];
    describe(session, train, position, pairs);
    for (size_t i = 0; i < PAIRS; i++)
        notes[i] = (clgrad_note){pairs[i].name, pairs[i].text};
    return train_succeeded(session->context, clgrad_network_save(session->network, path, notes, PAIRS),
                           message);
}

static bool refuse(clgrad_message *message, const char *path, const char *name, const char *theirs,
                   const char *ours)
{
    snprintf(message->text, sizeof message->text,
             "--resume %.200s: its %s is \"%.600s\", this training's is \"%.600s\"", path, name, theirs,
             ours);
    return false;
}

/* Everything but the network. */
static bool resume_session(train_session *session, const dataset *train, const clgrad_notes *notes,
                           train_position *position, clgrad_message *message)
{
    static pair ours[PAIRS];
    const char *path = session->options->resume;
    describe(session, train, position, ours);
    for (size_t i = 0; i < PAIRS; i++) {
        const char *theirs = clgrad_notes_find(notes, names[i]);
        if (theirs == NULL) {
            snprintf(message->text, sizeof message->text,
                     "--resume %.1000s: no trainer has written it, its notes have no \"%s\"; --load takes "
                     "parameters "
                     "alone",
                     path, names[i]);
            return false;
        }
        if (i < POSITION && strcmp(theirs, ours[i].text) != 0)
            return refuse(message, path, names[i], theirs, ours[i].text);
    }
    const char *text = clgrad_notes_find(notes, names[POSITION]);
    if (!read_position(text, session, position) || position->epoch > session->options->epochs ||
        (position->epoch == session->options->epochs && position->batch > 0)) {
        char end[64];
        snprintf(end, sizeof end, "%zu epochs of %zu batches", session->options->epochs, session->batches);
        return refuse(message, path, names[POSITION], text, end);
    }
    return true;
}

bool train_checkpoint_load(train_session *session, const dataset *train, train_position *position,
                           clgrad_message *message)
{
    const train_options *options = session->options;
    if (options->load != NULL)
        return train_succeeded(session->context,
                               clgrad_network_load_parameters(session->network, options->load), message);
    if (options->resume == NULL)
        return true;
    clgrad_notes *notes;
    if (clgrad_notes_read(options->resume, &notes, message) != CLGRAD_STATUS_SUCCESS)
        return false;
    const bool resumed =
        resume_session(session, train, notes, position, message) &&
        train_succeeded(session->context, clgrad_network_load(session->network, options->resume), message);
    clgrad_notes_destroy(notes);
    return resumed;
}
