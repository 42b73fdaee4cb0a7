/*
 * Python's safetensors package reads what clgrad writes, and clgrad what it writes. Skipped where no Python
 * with that package and NumPy is found: CLGRAD_PYTHON names one (default: python3). What it has once written
 * is in tests/golden, for test_safetensors.c and test_checkpoint.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "checkpoint_case.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OURS "test_checkpoint_python.ours"
#define THEIRS "test_checkpoint_python.theirs"

/* Run a script with the two files as arguments; it prints nothing unless something is wrong. */
static outcome run_python(const char *script)
{
    const char *python = getenv("CLGRAD_PYTHON");
    return run("/usr/bin/env", python != NULL ? python : "python3", "-c", script, OURS, THEIRS, NULL);
}

static void skip_without_package(void)
{
    outcome o = run_python("import numpy, safetensors.numpy");
    const bool there = o.status == 0;
    outcome_free(&o);
    if (!there) {
        print_message("skipped: there is no Python with safetensors and NumPy\n");
        skip();
    }
}

/* Python reads all of our file, finds each number where it belongs, and writes the same tensors and texts
 * anew: in its own order, with its own spelling of the header. That file is loaded like ours. */
static void files_go_both_ways(clgrad_context *context)
{
    static const clgrad_note notes[] = {{"\xc3\xa9poque", "\xe4\xb8\xad \"7\"\n"}};
    clgrad_layer layers[SMALL_LAYERS];
    clgrad_network_options options = small_network(layers);
    skip_without_package();
    training t = start_small(context, &options);
    const float ours[] = {1, -2, 3.5f, -0.0f, 1e-45f, 3e38f};
    step(context, t);
    assert_ok(context, clgrad_tensor_write(context, clgrad_network_weight(t.network, 0), ours, sizeof ours));
    assert_ok(context, clgrad_network_save(t.network, OURS, notes, 1));
    const moment saved = look_at(context, t.network);
    outcome o = run_python(
        "import sys, numpy, safetensors, safetensors.numpy as s\n"
        "arrays = s.load_file(sys.argv[1])\n"
        "f = safetensors.safe_open(sys.argv[1], 'np')\n"
        "texts = f.metadata()\n"
        "assert sorted(f.keys()) == sorted(arrays) and len(arrays) == 20, arrays.keys()\n"
        "assert texts['clgrad.steps'] == '1' and texts['note.\\u00e9poque'] == '\\u4e2d \"7\"\\n', texts\n"
        "w = arrays['layers.0.weight']\n"
        "assert w.dtype == numpy.float32 and w.shape == (2, 3), w\n"
        "want = numpy.array([1, -2, 3.5, -0.0, 1e-45, 3e38], numpy.float32)\n"
        "assert w.tobytes() == want.tobytes(), w\n"
        "assert arrays['layers.3.weight'].shape == (2, 2) and arrays['layers.2.weight'].shape == (1,)\n"
        "assert (arrays['optimizer.exp_avg_sq.layers.0.weight'] >= 0).all()\n"
        "s.save_file(dict(reversed(arrays.items())), sys.argv[2], texts)\n");
    assert_succeeded(&o);
    outcome_free(&o);

    contents *a = read_contents(OURS), *b = read_contents(THEIRS);
    assert_true(a->count != b->count ||
                memcmp(a->bytes, b->bytes, a->count) != 0); /* else nothing is learned */
    free(a);
    free(b);
    step(context, t);
    assert_ok(context, clgrad_network_load(t.network, THEIRS));
    assert_moment_resumed(context, t.network, saved);
    assert_ok(context, clgrad_network_load_parameters(t.network, THEIRS));
    clgrad_notes *read;
    assert_int_equal(clgrad_notes_read(THEIRS, &read, NULL), CLGRAD_STATUS_SUCCESS);
    assert_string_equal(clgrad_notes_find(read, notes[0].name), notes[0].value);
    clgrad_notes_destroy(read);
    moment_free(saved);
    stop(context, t);
    remove(OURS);
    remove(THEIRS);
}

int main(void)
{
    static const test_case cases[] = {CASE(files_go_both_ways)};
    return run_on_every_device(cases, COUNT(cases));
}
