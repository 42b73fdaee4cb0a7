/*
 * The data that --data names: what may be there, and reading it.
 */
#ifndef TRAIN_DATA_H
#define TRAIN_DATA_H

#include "train_options.h"

/* The first CSV file, by name, of a folder without any IDX file, as a path for --data; "" where there is
 * none. */
void train_data_csv_in(const char *folder, char path[TRAIN_LINE_SIZE]);

/* A file was given by --data, and no --target: why that will not do. Always false. */
bool train_data_without_target(const train_options *options, clgrad_message *message);

/* Read the data set, or draw it. False, and a sentence, after a failure. */
bool train_data_load(const train_options *options, dataset_pair *data, clgrad_message *message);

#endif
