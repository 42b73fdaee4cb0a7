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

#include <math.h>
#include <stdlib.h>

enum { EXIT_REFUSED = 2 };

/* A loss that is not finite ends the training where it is first seen. */
static bool check_loss(const train_position *position, clgrad_message *message)
{
    if (isfinite(position->loss_sum))
        return true;
    snprintf(
        message->text, sizeof message->text,
        "the loss of epoch %zu is %s within its first %zu rows: the training diverged, try a smaller --lr; "
        "--detect-anomaly names the operation where it began",
        position->epoch + 1, isnan(position->loss_sum) ? "not a number" : "infinite", position->rows);
    return false;
}

/* All of an epoch's batches are done: what has come of it, for those who show it. */
static bool end_epoch(train_session *session, const dataset_pair *data, train_position *position,
                      train_progress *progress, train_history *history, clgrad_message *message)
{
    train_figures figures = {.epoch = position->epoch + 1};
    figures.loss = position->loss_sum / (double)position->rows; /* each row's loss counts once */
    figures.lr = train_pace_lr(&session->pace, position->epoch, session->pace.steps - 1);
    train_progress_time(progress, &figures);
    if (!train_history_add(history, session, data, &figures, message))
        return false;
    train_progress_epoch(progress, &figures);
    train_pace_epoch(&session->pace, position->epoch, figures.loss);
    *position = (train_position){.epoch = position->epoch + 1};
    return true;
}

/*
 * From a position on to the end of its epoch, a batch at a time: the training rows in an order that is new in
 * each epoch. An interrupt ends it after any batch. The position moves on.
 */
static bool train_epoch(train_session *session, const dataset_pair *data, train_position *position,
                        train_progress *progress, train_history *history, clgrad_message *message)
{
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
    return end_epoch(session, data, position, progress, history, message);
}

/* From a position on to the last epoch or to an interrupt, with a checkpoint there and on the way. */
static bool train_epochs(train_session *session, const dataset_pair *data, train_position *position,
                         train_history *history, clgrad_message *message)
{
    const train_options *options = session->options;
    const size_t every = options->checkpoint_every, begin = position->epoch;
    train_progress progress = train_progress_begin(options, data->train.rows, session->batches);
    bool last = false, succeeded = true;
    while (succeeded && !last) {
        last = position->epoch == options->epochs || train_interrupted() != 0;
        const bool due = every > 0 && position->epoch > begin && position->epoch % every == 0;
        if (options->save != NULL && (last || due))
            succeeded = train_checkpoint_save(session, &data->train, position, options->save, message);
        if (succeeded && !last)
            succeeded = train_epoch(session, data, position, &progress, history, message);
    }
    train_progress_end(&progress);
    return succeeded;
}

int main(int argc, char **argv)
{
    train_options options;
    clgrad_message message = {""}, other;
    clgrad_context *context = NULL;
    dataset_pair data = {0};
    train_session session = {0};
    train_result result = {0};
    train_position position = {0};
    train_history history = {0};
    bool check_passed = true;
    int exit_status = EXIT_FAILURE;

    if (!train_options_parse(argc, argv, &options, &message)) {
        exit_status = EXIT_REFUSED;
        goto cleanup;
    }
    if (options.help || options.list_devices) {
        if (options.help)
            train_print_help(stdout);
        else if (!train_report_devices(&message))
            goto cleanup;
        exit_status = EXIT_SUCCESS;
        goto cleanup;
    }

    if (!train_files_possible(&options, &message)) {
        exit_status = EXIT_REFUSED;
        goto cleanup;
    }
    clgrad_status status = clgrad_context_create(options.device, &context, &message);
    if (status == CLGRAD_STATUS_INVALID_ARGUMENT)
        exit_status = EXIT_REFUSED;
    if (status != CLGRAD_STATUS_SUCCESS || !train_data_load(&options, &data, &message))
        goto cleanup;
    if (!train_options_fit(&options, &data.train, &message)) {
        exit_status = EXIT_REFUSED;
        goto cleanup;
    }

    if (options.detect_anomaly &&
        !train_succeeded(context, clgrad_context_detect_anomaly(context, true), &message))
        goto cleanup;
    if (options.check_steps > 0 && !train_check(context, &options, &data.train, &check_passed, &message))
        goto cleanup;
    if (!train_session_create(context, &options, &data.train, &data.test, &session, &message) ||
        !train_checkpoint_load(&session, &data.train, &position, &message) ||
        !train_history_begin(&options, &data.train, &history, &message))
        goto cleanup;
    if (options.save != NULL)
        train_catch_interrupts();
    train_report_header(&session, &options, &data);
    train_report_beginning(&session, position.epoch, position.batch);

    /* What has been reached is drawn also where an interrupt or a loss that diverges ends the training early.
     */
    const bool trained = train_epochs(&session, &data, &position, &history, &message);
    if (!train_pictures_curves(&session, &history, trained ? &message : &other) || !trained)
        goto cleanup;
    if (position.epoch < options.epochs) {
        snprintf(message.text, sizeof message.text,
                 "interrupted after batch %zu of epoch %zu; the same command with --resume %.1000s goes on",
                 position.batch, position.epoch + 1, options.save);
        exit_status = 128 + train_interrupted();
        goto cleanup;
    }
    train_release_interrupts();

    if (!train_session_evaluate(&session, &session.test, &result, &message) ||
        !train_report_result(&data.test, &result, &message) ||
        !train_pictures_result(&session, &data, &result, &message) || !train_history_end(&history, &message))
        goto cleanup;
    if (!check_passed)
        snprintf(message.text, sizeof message.text, "the check against the reference device has failed");
    exit_status = check_passed ? EXIT_SUCCESS : EXIT_FAILURE;

cleanup:
    if (fflush(stdout) != 0 && exit_status == EXIT_SUCCESS) {
        snprintf(message.text, sizeof message.text, "the output could not be written");
        exit_status = EXIT_FAILURE;
    }
    if (exit_status != EXIT_SUCCESS)
        fprintf(stderr, "train: %s\n", message.text);
    free(result.prediction);
    train_history_end(&history, &other);
    train_session_destroy(&session);
    dataset_pair_free(&data);
    clgrad_context_destroy(context);
    return exit_status;
}
