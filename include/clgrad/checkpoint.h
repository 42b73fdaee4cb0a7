/**
 * @file checkpoint.h
 * A network in a file, and back: to go on training just where it was left, or to take trained parameters over
 * from somewhere else. The files are in the safetensors format
 * (https://github.com/huggingface/safetensors), which Python's package of that name reads and writes too;
 * docs/checkpoints.md says what is in them.
 */
#ifndef CLGRAD_CHECKPOINT_H
#define CLGRAD_CHECKPOINT_H

#include <clgrad/network.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Something that the caller wants to find in the file again: two strings, UTF-8. */
typedef struct clgrad_note {
    const char *name, *value; /**< the name is each note's own */
} clgrad_note;

/**
 * Save a network with everything that the next step depends on: parameters, optimizer state, running
 * statistics, the numbers of steps and of random streams drawn, the seed, the current learning rates, and
 * gradients that no step has used yet (so that it may be saved between a clgrad_network_accumulate and the
 * step). Of the gradients of a past step nothing is saved.
 *
 * The file is replaced as a whole: written under a name of its own beside it, synced, renamed, and the folder
 * synced. Stopped at any moment, by a signal or a loss of power, the path names the old file or the new one,
 * whole; a process that is killed may leave the other, PATH.new-NUMBER-NUMBER, behind, which nobody needs.
 * The new file has the old one's permissions. Where the path is a symbolic link, the link is replaced, as by
 * rename(2), and what it led to stays. After a failure the old file is as it was.
 *
 * Waits for everything enqueued so far, and reports what the device has found, as clgrad_context_finish:
 * INVALID_INDEX, and nothing is saved.
 *
 * @param path        a file; one that is there must be a regular file or a link
 * @param notes       note_count of the caller's own, the state of its schedule, say; each name once; may be
 *                    NULL when note_count is 0
 * @return SUCCESS; INVALID_ARGUMENT (NULL, a note that is no UTF-8, two notes of one name); FILE_ERROR (with
 *         the path and the system's words; where the folder alone could not be synced the new file is in
 *         place, and the sentence says so); OUT_OF_RANGE (names and notes of more than 100 MB);
 * INVALID_INDEX; OUT_OF_MEMORY; OUT_OF_DEVICE_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_network_save(const clgrad_network *network, const char *path,
                                             const clgrad_note *notes, size_t note_count);

/**
 * Make a network what it was when it was saved: what follows has the same bits, on the same device, as if it
 * had never stopped. The network must have been created with the same layers, loss, clipping and optimizer
 * (all parameters but the learning rate), in the same groups: otherwise a sentence names the first
 * difference with both values. The seed and the learning rates become those of the file.
 *
 * State that no group uses is not in the file and becomes 0; so do gradients that a step has used.
 *
 * The whole file is checked and read before the first thing changes: a file that is refused has changed
 * nothing in the network or on the device. (If the device fails while it receives the arrays, DEVICE_ERROR or
 * OUT_OF_DEVICE_MEMORY, the network may be left with some of them.)
 *
 * Waits for everything enqueued so far, and reports what the device has found, as clgrad_context_finish:
 * INVALID_INDEX, and nothing is loaded.
 *
 * @return SUCCESS; INVALID_ARGUMENT (NULL); FILE_ERROR (there is no such file, or it cannot be read);
 *         INVALID_FILE (damaged, no checkpoint, of another network, of a version that this library does not
 *         know; or the host had no memory for a word of its header, which then looks damaged); INVALID_INDEX;
 *         OUT_OF_MEMORY; OUT_OF_DEVICE_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_network_load(clgrad_network *network, const char *path);

/**
 * Take parameters and running statistics alone from a file: of another run, or made by PyTorch, whose names
 * they bear: layers.N.weight, layers.N.bias, layers.N.running_mean, layers.N.running_var, N counted from 0,
 * shapes as clgrad_network_weight has them. Everything else of the network stays, the optimizer's state and
 * the number of steps too.
 *
 * Each of the network's must be there, as F32 of its shape; any number in it will do, NaN too. Others are
 * refused, but those that a checkpoint has (optimizer.* and gradients.*) and layers.N.num_batches_tracked of
 * a layer with running statistics, which PyTorch keeps and clgrad does not need. Waits, and answers, as
 * clgrad_network_load.
 */
CLGRAD_API clgrad_status clgrad_network_load_parameters(clgrad_network *network, const char *path);

/** The notes of a file. */
typedef struct clgrad_notes clgrad_notes;

/**
 * Read the notes of a file, which is checked as by clgrad_network_load as far as that goes without a network.
 * A file that clgrad has not written has none.
 *
 * @param notes    receives the notes; NULL after a failure. Free them with clgrad_notes_destroy.
 * @param message  receives a sentence after a failure; may be NULL
 * @return SUCCESS; INVALID_ARGUMENT (path or notes is NULL); FILE_ERROR; INVALID_FILE; OUT_OF_MEMORY
 */
CLGRAD_API clgrad_status clgrad_notes_read(const char *path, clgrad_notes **notes, clgrad_message *message);

/** NULL is accepted. */
CLGRAD_API void clgrad_notes_destroy(clgrad_notes *notes);

/** How many there are; 0 for NULL. */
CLGRAD_API size_t clgrad_notes_count(const clgrad_notes *notes);

/** A note by its place, in the order in which they were saved; strings are NULL where there is none. They
 * live as long as the notes. */
CLGRAD_API clgrad_note clgrad_notes_at(const clgrad_notes *notes, size_t index);

/** The value of the note of that name, or NULL. */
CLGRAD_API const char *clgrad_notes_find(const clgrad_notes *notes, const char *name);

#ifdef __cplusplus
}
#endif

#endif
