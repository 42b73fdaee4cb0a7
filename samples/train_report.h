/*
 * What the trainer shows before and after the training: a header, and the result.
 */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H

#include "train_session.h"

bool train_report_devices(clgrad_message *message);
void train_report_header(const train_session *session, const train_options *options,
                         const dataset_pair *data);

/* Where the training begins, if not with a new network. */
void train_report_beginning(const train_session *session, size_t epoch, size_t batch);

/* The confusion matrix of a classification of up to 20 classes and, as the last lines, the figures. */
bool train_report_result(const dataset *test, const train_result *result, clgrad_message *message);

#endif
