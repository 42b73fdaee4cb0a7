/*
 * Train a network on any OpenCL device.
 *
 *     train                                       learn digits that the trainer draws itself
 *     train --data mnist                          a folder with MNIST's four files
 *     train --data iris.csv --target species      a table
 *     train --plot curves.png --log epochs.csv    draw and write down how it goes
 *     train --check                               compare the first steps with the reference device
 *     train --save F --checkpoint-every 1         keep checkpoints, also when Ctrl-C ends it
 *     train --save F --resume F                   go on from there
 *     train --help                                all options
 *
 * To follow one training step from here to the kernels: train_epoch below calls train_session_batch
 * (train_session.c), which gathers a batch and calls clgrad_network_train_step_with; that is in
 * src/network_run.c and calls layer by layer the forward passes (clgrad_dense_forward, say),
 * clgrad_loss_evaluate, layer by layer the backward passes, and clgrad_optimizer_step. Each of those checks
 * its arguments in src/<family>.c, is enqueued by src/opencl/<family>.c and computed by kernels/<family>.cl.
 */
#include "train_check.h"
#include "train_checkpoint.h"
#include "train_data.h"
#include "train_files.h"
#include "train_pictures.h"
#include "train_progress.h"
#include "train_report.h"
#include "train_session.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_REFUSED = 2 };

/* All that a run has; zero before it is there. */
typedef struct run {
    train_options options;
    clgrad_context *context;
    dataset_pair data;
    train_session session;
    train_position position;
    train_history history;
    bool check_failed;
    bool unsaved;    /* the last checkpoint could not be written */
    bool incomplete; /* nor could the log, or a picture */
} run;

/* ---- training ---- */

/* A log or a picture that cannot be written is said and missing, and no reason to lose anything else. */
static void go_without(run *r, const clgrad_message *why)
{
    train_complain(why);
    r->incomplete = true;
}

/* A loss that is not finite ends the training where it is first seen. */
static bool check_loss(const train_position *position, clgrad_message *message)
{
    return isfinite(position->loss_sum) ||
           train_refuse(message,
                        "the loss of epoch %zu is %s within its first %zu rows: the training diverged, try a "
                        "smaller --lr; --detect-anomaly names the operation where it began",
                        position->epoch + 1, isnan(position->loss_sum) ? "not a number" : "infinite",
                        position->rows);
}

/* All of an epoch's batches are done: what has come of it, for those who show it. */
static bool end_epoch(run *r, train_progress *progress, clgrad_message *message)
{
    const train_position *position = &r->position;
    train_pace *pace = &r->session.pace;
    train_figures figures = {.epoch = position->epoch + 1};
    clgrad_message why;
    figures.loss = position->loss_sum / (double)position->rows; /* each row's loss counts once */
    figures.lr = train_pace_lr(pace, position->epoch, pace->steps - 1);
    train_progress_time(progress, &figures);
    if (!train_history_add(&r->history, &r->session, &r->data, &figures, message))
        return false;
    train_progress_epoch(progress, &figures);
    if (!train_history_write(&r->history, &figures, &why))
        go_without(r, &why);
    train_pace_epoch(pace, position->epoch, figures.loss);
    r->position = (train_position){.epoch = position->epoch + 1};
    return true;
}

/*
 * From where the training stands to the end of its epoch, a batch at a time: the training rows in an order
 * that is new in each epoch. An interrupt ends it after any batch. The position moves on.
 */
static bool train_epoch(run *r, train_progress *progress, clgrad_message *message)
{
    train_session *session = &r->session;
    train_position *position = &r->position;
    if (!train_session_shuffle(session, position->epoch, message))
        return false;

    size_t read = position->batch, rows;
    while (position->batch < session->batches) {
        if (!train_session_batch(session, position->epoch, position->batch, &rows, message))
            return false;
        position->rows += rows;
        position->batch++;

        /* Batches are enqueued without waiting for them; only to show their losses does the host wait. */
        const bool stop = train_interrupted() != 0;
        if (train_progress_due(progress) || position->batch == session->batches || stop) {
            if (!train_session_loss_sum(session, read, position->batch - read, &position->loss_sum, message))
                return false;
            if (!check_loss(position, message))
                return false;
            read = position->batch;
            train_progress_update(progress, position->epoch, position->batch, position->rows,
                                  position->loss_sum / (double)position->rows);
        }
        if (stop && position->batch < session->batches)
            return true;
    }
    return end_epoch(r, progress, message);
}

/*
 * Write a checkpoint. Where the file cannot be written, on a full disk say, the training goes on, and the
 * next checkpoint may be in place: that is said once, and again at the last. Any other failure ends it.
 */
static bool save(run *r, train_progress *progress, bool last, clgrad_message *message)
{
    const train_options *options = &r->options;
    clgrad_message why, said;
    const clgrad_status status =
        train_checkpoint_save(&r->session, &r->data.train, &r->position, options->save, &why);
    const bool unsaved = status == CLGRAD_STATUS_FILE_ERROR;
    if (status != CLGRAD_STATUS_SUCCESS && !unsaved)
        return train_refuse(message, "%s", why.text);
    if (unsaved && (last || !r->unsaved)) {
        const size_t next = r->position.epoch + options->checkpoint_every;
        if (!last)
            train_refuse(&said, "%.1800s; the training goes on, and this is tried again after epoch %zu",
                         why.text, next < options->epochs ? next : options->epochs);
        train_progress_end(progress);
        train_complain(last ? &why : &said);
    }
    r->unsaved = unsaved;
    return true;
}

/* To the last epoch or to an interrupt, with a checkpoint there and on the way. */
static bool train_epochs(run *r, clgrad_message *message)
{
    const train_options *options = &r->options;
    const size_t every = options->checkpoint_every, begin = r->position.epoch;
    train_progress progress =
        train_progress_begin(options, r->data.train.rows, r->session.batches, r->position.rows);
    bool last = false, succeeded = true;
    while (succeeded && !last) {
        const size_t epoch = r->position.epoch;
        last = epoch == options->epochs || train_interrupted() != 0;
        const bool due = every > 0 && epoch > begin && epoch % every == 0;
        if (options->save != NULL && (last || due))
            succeeded = save(r, &progress, last, message);
        if (succeeded && !last)
            succeeded = train_epoch(r, &progress, message);
    }
    train_progress_end(&progress);
    return succeeded;
}

/* ---- what comes before and after ---- */

/* Everything up to the first epoch. Returns the exit status, with a sentence where it is no success. */
static int prepare(run *r, clgrad_message *message)
{
    const train_options *options = &r->options;
    if (!train_files_possible(options, message))
        return EXIT_REFUSED;
    const clgrad_status status = clgrad_context_create(options->device, &r->context, message);
    if (status == CLGRAD_STATUS_INVALID_ARGUMENT)
        return EXIT_REFUSED;
    if (status != CLGRAD_STATUS_SUCCESS || !train_data_load(options, &r->data, message))
        return EXIT_FAILURE;
    if (!train_options_fit(&r->options, &r->data.train, message))
        return EXIT_REFUSED;

    if (options->detect_anomaly &&
        !train_succeeded(r->context, clgrad_context_detect_anomaly(r->context, true), message))
        return EXIT_FAILURE;
    bool passed = true;
    if (options->check_steps > 0 && !train_check(r->context, options, &r->data.train, &passed, message))
        return EXIT_FAILURE;
    r->check_failed = !passed;
    const bool made =
        train_session_create(r->context, options, &r->data.train, &r->data.test, &r->session, message) &&
        train_checkpoint_load(&r->session, &r->data.train, &r->position, message) &&
        train_history_begin(options, &r->data.train, &r->history, message);
    return made ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The test: its figures first, so that no picture of them can cost them. */
static bool show_results(run *r, clgrad_message *message)
{
    train_result result = {0};
    clgrad_message why;
    const bool shown = train_session_evaluate(&r->session, &r->session.test, &result, message) &&
                       train_report_result(&r->data.test, &result, message);
    fflush(stdout);
    for (int picture = 0; shown && picture < TRAIN_PICTURE_COUNT; picture++)
        if (!train_pictures_result((train_picture)picture, &r->session, &r->data, &result, &why))
            go_without(r, &why);
    free(result.prediction);
    return shown;
}

/* The curves of what has been reached, also where an interrupt or a loss that diverges ends the training
 * early. */
static void show_curves(run *r)
{
    const char *file = r->options.pictures[TRAIN_CURVES];
    clgrad_message why;
    if (file != NULL &&
        r->history.count == 0) { /* nothing has failed here, so this alone is no exit status */
        train_refuse(&why, "--plot: %.1000s is not drawn: there is no whole epoch in this run", file);
        train_complain(&why);
    } else if (!train_pictures_curves(&r->session, &r->history, &why)) {
        go_without(r, &why);
    }
}

static int end_interrupted(const run *r, clgrad_message *message)
{
    const size_t batch = r->position.batch, epoch = r->position.epoch + 1;
    if (r->unsaved)
        train_refuse(message, "interrupted after batch %zu of epoch %zu, which is not saved", batch, epoch);
    else
        train_refuse(
            message,
            "interrupted after batch %zu of epoch %zu; the same command with --resume %.1000s goes on", batch,
            epoch, r->options.save);
    return r->unsaved ? EXIT_FAILURE : 128 + train_interrupted();
}

/* Train, and show what has come of it. Returns the exit status; what is missing has been said, or is in the
 * message. */
static int train(run *r, clgrad_message *message)
{
    clgrad_message why;
    if (r->options.save != NULL)
        train_catch_interrupts();
    train_report_header(&r->session, &r->options, &r->data);
    train_report_beginning(&r->session, r->position.epoch, r->position.batch);

    const bool trained = train_epochs(r, message);
    const bool finished = trained && r->position.epoch == r->options.epochs;
    if (finished)
        train_release_interrupts();
    const bool shown = finished && show_results(r, message);
    show_curves(r);
    if (!train_history_end(&r->history, &why))
        go_without(r, &why);

    if (trained && !finished)
        return end_interrupted(r, message);
    if (shown && r->check_failed)
        train_refuse(message, "the check against the reference device has failed");
    return shown && !r->check_failed && !r->unsaved && !r->incomplete ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void end(run *r)
{
    clgrad_message why;
    train_history_end(&r->history, &why); /* where the way to it was not gone to its end */
    train_session_destroy(&r->session);
    dataset_pair_free(&r->data);
    clgrad_context_destroy(r->context);
}

/* Where one of the three is closed, a file that is opened later would get what is printed. */
static void open_standard_streams(void)
{
    int lowest;
    while ((lowest = open("/dev/null", O_RDONLY)) >= 0 && lowest <= STDERR_FILENO)
        continue;
    close(lowest);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    run r = {.context = NULL};
    clgrad_message message = {""};
    int exit_status = EXIT_SUCCESS;
    if (!train_options_parse(argc, argv, &r.options, &message)) {
        exit_status = EXIT_REFUSED;
    } else if (r.options.help) {
        train_print_help(stdout);
    } else if (r.options.list_devices) {
        exit_status = train_report_devices(&message) ? EXIT_SUCCESS : EXIT_FAILURE;
    } else {
        exit_status = prepare(&r, &message);
        if (exit_status == EXIT_SUCCESS)
            exit_status = train(&r, &message);
    }

    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && exit_status == EXIT_SUCCESS) {
        train_refuse(&message, "the output could not be written");
        exit_status = EXIT_FAILURE;
    }
    if (exit_status != EXIT_SUCCESS && message.text[0] != '\0')
        train_complain(&message);
    end(&r);
    return exit_status;
}
