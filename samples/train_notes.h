/*
 * What a training that goes on must have in common with the one that was saved, as notes of the checkpoint.
 * The network itself is compared by clgrad_network_load; here it is in the words of the command line, so that
 * a sentence can name the option that differs.
 */
#ifndef TRAIN_NOTES_H
#define TRAIN_NOTES_H

#include "train_session.h"

enum { TRAIN_NOTES = 15 };

typedef struct train_note {
    const char *name;
    char text[TRAIN_LINE_SIZE];
} train_note;

void train_notes_describe(const train_session *session, const dataset *train, train_note notes[TRAIN_NOTES]);

/* Whether the notes of the file of --resume are the session's own. False, and a sentence, where they are not.
 */
bool train_notes_agree(const train_session *session, const dataset *train, const clgrad_notes *theirs,
                       clgrad_message *message);

/* Refuse a file without a note that every trainer writes. */
bool train_notes_missing(const char *path, const char *name, clgrad_message *message);

#endif
