#define _POSIX_C_SOURCE 200809L

#include "train_checkpoint.h"

#include "train_notes.h"

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

/* After the notes of train_notes.h stands this one. */
#define POSITION "position"

clgrad_status train_checkpoint_save(const train_session *session, const dataset *train,
                                    const train_position *position, const char *path, clgrad_message *message)
{
    static train_note common[TRAIN_NOTES];
    char place[TRAIN_LINE_SIZE] = "";
    clgrad_note notes[TRAIN_NOTES + 1];
    train_notes_describe(session, train, common);
    for (size_t i = 0; i < TRAIN_NOTES; i++)
        notes[i] = (clgrad_note){common[i].name, common[i].text};
    describe_position(place, session, position);
    notes[TRAIN_NOTES] = (clgrad_note){POSITION, place};
    const clgrad_status status = clgrad_network_save(session->network, path, notes, TRAIN_NOTES + 1);
    if (status != CLGRAD_STATUS_SUCCESS)
        train_refuse(message, "--save: %s", clgrad_context_error(session->context));
    return status;
}

/* Everything but the network. */
static bool resume_session(train_session *session, const dataset *train, const clgrad_notes *notes,
                           train_position *position, clgrad_message *message)
{
    const train_options *options = session->options;
    const char *path = options->resume, *text = clgrad_notes_find(notes, POSITION);
    if (!train_notes_agree(session, train, notes, message))
        return false;
    if (text == NULL)
        return train_notes_missing(path, POSITION, message);
    if (!read_position(text, session, position))
        return train_refuse(message,
                            "--resume %.200s: its " POSITION
                            " is \"%.600s\", which is no place in epochs of %zu "
                            "batches of %zu",
                            path, text, session->batches, session->batch);
    if (position->epoch > options->epochs || (position->epoch == options->epochs && position->batch > 0))
        return train_refuse(
            message,
            "--resume %.1000s: it was left after epoch %zu, and %zu of %zu batches, but --epochs is %zu",
            path, position->epoch, position->batch, session->batches, options->epochs);
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
