/*
 * The files that a training writes.
 */
#ifndef TRAIN_FILES_H
#define TRAIN_FILES_H

#include "train_options.h"

/*
 * Whether each of them can be written, as far as can be seen before: said now, not after hours. Pictures have
 * a format, and no two files are the same.
 */
bool train_files_possible(const train_options *options, clgrad_message *message);

#endif
