#define _POSIX_C_SOURCE 200809L

#include "train_history.h"

#include "train_parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool cannot(const train_history *history, clgrad_message *message)
{
    return train_refuse(message, "--log: %.1000s cannot be written: %s", history->path, strerror(errno));
}

bool train_history_begin(const train_options *options, const dataset *train, train_history *history,
                         clgrad_message *message)
{
    *history = (train_history){
        .wanted = options->log != NULL || options->pictures[TRAIN_CURVES] != NULL,
        .regression = train->class_count == 0,
        .path = options->log,
    };
    if (options->log == NULL)
        return true;
    history->log = fopen(options->log, options->resume != NULL ? "a" : "w");
    if (history->log == NULL)
        return cannot(history, message);
    fseek(history->log, 0, SEEK_END); /* where a file is that is continued */
    const char *quality = history->regression ? "rmse" : "accuracy_percent";
    if (ftell(history->log) == 0)
        fprintf(history->log,
                "epoch,loss,training_loss,training_%s,test_loss,test_%s,lr,seconds,samples_per_second\n",
                quality, quality);
    return fflush(history->log) == 0 || cannot(history, message);
}

static bool score(train_session *session, const train_rows *rows, const dataset *set, train_score *score,
                  clgrad_message *message)
{
    train_result result;
    if (!train_session_evaluate(session, rows, &result, message))
        return false;
    *score = train_score_of(set, &result);
    free(result.prediction);
    return true;
}

static bool keep(train_history *history, const train_figures *figures, clgrad_message *message)
{
    if (history->count == history->capacity) {
        const size_t capacity = history->capacity > 0 ? 2 * history->capacity : 16;
        train_figures *larger = realloc(history->epochs, capacity * sizeof *larger);
        if (larger == NULL)
            return train_refuse(message, "the host is out of memory");
        history->epochs = larger;
        history->capacity = capacity;
    }
    history->epochs[history->count++] = *figures;
    return true;
}

bool train_history_add(train_history *history, train_session *session, const dataset_pair *data,
                       train_figures *figures, clgrad_message *message)
{
    if (!history->wanted)
        return true;
    if (!score(session, &session->data, &data->train, &figures->training, message) ||
        !score(session, &session->test, &data->test, &figures->test, message) ||
        !keep(history, figures, message))
        return false;
    figures->scored = history->epochs[history->count - 1].scored = true;
    return true;
}

/* The log is over before this epoch: what is there of its line is taken back. */
static bool give_up(train_history *history, long end, size_t epoch, clgrad_message *message)
{
    const int error = errno;
    fclose(history->log);
    history->log = NULL;
    const bool whole = truncate(history->path, end) == 0;
    return train_refuse(message, "--log: %.1000s cannot be written: %s; it ends %s epoch %zu", history->path,
                        strerror(error), whole ? "before" : "within the line of", epoch);
}

/* Nine digits, so that every float32 can be told from its neighbours. */
bool train_history_write(train_history *history, const train_figures *f, clgrad_message *message)
{
    const bool regression = history->regression;
    if (history->log == NULL)
        return true;
    const long end = ftell(history->log);
    fprintf(history->log, "%zu,%.9g,%.9g,%.9g,%.9g,%.9g,%.7g,%.3f,%.0f\n", f->epoch, f->loss,
            f->training.loss, regression ? f->training.rmse : f->training.accuracy, f->test.loss,
            regression ? f->test.rmse : f->test.accuracy, f->lr, f->seconds, f->rate);
    return fflush(history->log) == 0 || give_up(history, end, f->epoch, message);
}

bool train_history_end(train_history *history, clgrad_message *message)
{
    const bool closed = history->log == NULL || fclose(history->log) == 0 || cannot(history, message);
    free(history->epochs);
    *history = (train_history){0};
    return closed;
}
