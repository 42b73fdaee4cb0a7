#include "train_notes.h"

#include "train_common.h"
#include "train_parser.h"

#include <inttypes.h>
#include <string.h>

/* What others follow from comes first: a seed draws the data, an optimizer has a rate of its own, and the
 * schedule begins after the warm-up. */
enum {
    SEED,
    DATA,
    BATCH,
    ACCUMULATE,
    WARMUP,
    LOSS, /* from here to CLIP_VALUE: not in checkpoints from before 0.1.0 */
    LAYERS,
    OUTPUT,
    OPTIMIZER,
    NO_BIAS_DECAY,
    CLIP_NORM,
    CLIP_VALUE,
    SCHEDULE,
    CLASS_WEIGHTS,
    POS_WEIGHT
};

static const struct {
    const char *name, *option;
} rows[TRAIN_NOTES] = {
    [SEED] = {"seed", "--seed"},
    [DATA] = {"data", "--data"},
    [BATCH] = {"batch", "--batch"},
    [ACCUMULATE] = {"accumulate", "--accumulate"},
    [WARMUP] = {"warmup", "--warmup"},
    [LOSS] = {"loss", "--loss"},
    [LAYERS] = {"layers", "--layers or --activation"},
    [OUTPUT] = {"output", "--output"},
    [OPTIMIZER] = {"optimizer", "--optimizer"},
    [NO_BIAS_DECAY] = {"no-bias-decay", "--no-bias-decay"},
    [CLIP_NORM] = {"clip-norm", "--clip-norm"},
    [CLIP_VALUE] = {"clip-value", "--clip-value"},
    [SCHEDULE] = {"schedule", "--schedule"},
    [CLASS_WEIGHTS] = {"class-weights", "--class-weights"},
    [POS_WEIGHT] = {"pos-weight", "--pos-weight"},
};

/* ---- in words ---- */

/* FNV-1a in 64 bits (Fowler, Noll, Vo): good enough to notice that the data is other data. */
static uint64_t hash(uint64_t state, const void *bytes, size_t count)
{
    for (size_t i = 0; bytes != NULL && i < count; i++)
        state = (state ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return state;
}

static void describe_data(char *text, const dataset *train)
{
    uint64_t sum = hash(0xcbf29ce484222325u, train->x, train->rows * train->features * sizeof *train->x);
    sum = hash(sum, train->classes, train->rows * sizeof *train->classes);
    sum = hash(sum, train->y, train->rows * sizeof *train->y);
    train_append(text, "%zu rows of %zu features, checksum %016" PRIx64, train->rows, train->features, sum);
}

/* Nine digits, so that no two numbers look alike. The rate is the schedule's (see below). */
static void describe_parameters(char *text, const clgrad_parameter *parameters, const void *descriptor)
{
    for (const clgrad_parameter *p = parameters; p->name != NULL; p++)
        if (strcmp(p->name, "lr") != 0)
            train_append(text, " %s=%.9g", p->name, (double)clgrad_parameter_get(p, descriptor));
}

static void describe_schedule(char *text, const train_pace *pace)
{
    const clgrad_schedule_info *info = clgrad_schedule_describe(pace->schedule.kind);
    train_append(text, "%s lr=%.9g", info->name, pace->lr);
    describe_parameters(text, info->parameters, &pace->schedule);
}

static void describe_class_weights(char *text, const train_options *options)
{
    if (options->balanced || options->class_weight_count == 0)
        train_append(text, "%s", options->balanced ? "balanced" : "none");
    for (size_t i = 0; i < options->class_weight_count; i++)
        train_append(text, "%s%.9g", i > 0 ? "," : "", (double)options->class_weights[i]);
}

static void describe_network(const train_options *options, train_note notes[TRAIN_NOTES])
{
    const clgrad_loss_info *loss = clgrad_loss_describe(options->loss.kind);
    const clgrad_optimizer_info *optimizer = clgrad_optimizer_describe(options->optimizer.kind);
    train_append(notes[LOSS].text, "%s", loss->name);
    describe_parameters(notes[LOSS].text, loss->parameters, &options->loss);
    train_describe_layers(notes[LAYERS].text, options->layers, options->layer_count);
    train_describe_layers(notes[OUTPUT].text, &options->output, 1);
    train_append(notes[OPTIMIZER].text, "%s", optimizer->name);
    describe_parameters(notes[OPTIMIZER].text, optimizer->parameters, &options->optimizer);
    train_append(notes[NO_BIAS_DECAY].text, "%s", options->no_bias_decay ? "true" : "false");
    train_append(notes[CLIP_NORM].text, "%.9g", (double)options->clip_norm);
    train_append(notes[CLIP_VALUE].text, "%.9g", (double)options->clip_value);
}

void train_notes_describe(const train_session *session, const dataset *train, train_note notes[TRAIN_NOTES])
{
    const train_options *options = session->options;
    memset(notes, 0, TRAIN_NOTES * sizeof *notes);
    for (size_t i = 0; i < TRAIN_NOTES; i++)
        notes[i].name = rows[i].name;
    train_append(notes[SEED].text, "%" PRIu64, options->seed);
    describe_data(notes[DATA].text, train);
    train_append(notes[BATCH].text, "%zu", session->batch);
    train_append(notes[ACCUMULATE].text, "%zu", options->accumulate);
    train_append(notes[WARMUP].text, "%zu", options->warmup);
    describe_schedule(notes[SCHEDULE].text, &session->pace);
    describe_class_weights(notes[CLASS_WEIGHTS].text, options);
    train_append(notes[POS_WEIGHT].text, "%.9g", (double)options->pos_weight);
    describe_network(options, notes);
}

/* ---- held against each other ---- */

/* The name in the first "name=value" that differs; "" where the first word already does. */
static void differing_parameter(const char *theirs, const char *ours, char name[TRAIN_NAME_SIZE])
{
    size_t begin = 0;
    for (size_t i = 0; ours[i] != '\0' && ours[i] == theirs[i]; i++)
        begin = ours[i] == ' ' ? i + 1 : begin;
    train_copy_piece(ours + begin, begin > 0 ? strcspn(ours + begin, "=") : 0, name);
}

static const char *data_option(const train_options *options)
{
    if (options->data == NULL)
        return "--data or --samples";
    return options->source == TRAIN_CSV ? "--data, or --target, --task, --ignore or --skip-empty beside it"
                                        : "--data";
}

/* A length that was not given follows from the epochs. */
static const char *schedule_option(const clgrad_schedule *schedule, const char *parameter)
{
    if (strcmp(parameter, "lr") == 0)
        return "--lr";
    const bool whole = (strcmp(parameter, "total_iters") == 0 && schedule->total_iters == 0) ||
                       (strcmp(parameter, "T_max") == 0 && schedule->T_max == 0) ||
                       (strcmp(parameter, "total_steps") == 0 && schedule->total_steps == 0);
    return whole ? "--epochs or --schedule" : "--schedule";
}

/* The option by which a note differs, as far as can be known; room for one that is an optimizer's parameter.
 */
static const char *option_of(const train_options *options, size_t note, const char *theirs, const char *ours,
                             char room[TRAIN_NAME_SIZE + 2])
{
    char parameter[TRAIN_NAME_SIZE];
    differing_parameter(theirs, ours, parameter);
    if (note == DATA)
        return data_option(options);
    if (note == SCHEDULE)
        return schedule_option(&options->schedule, parameter);
    if (note != OPTIMIZER || parameter[0] == '\0')
        return rows[note].option;
    snprintf(room, TRAIN_NAME_SIZE + 2, "--%s", parameter);
    train_exchange(room, '_', '-');
    return room;
}

bool train_notes_missing(const char *path, const char *name, clgrad_message *message)
{
    return train_refuse(message,
                        "--resume %.1000s: no trainer has written it, its notes have no \"%s\"; --load takes "
                        "parameters alone",
                        path, name);
}

bool train_notes_agree(const train_session *session, const dataset *train, const clgrad_notes *theirs,
                       clgrad_message *message)
{
    static train_note notes[TRAIN_NOTES];
    const train_options *options = session->options;
    train_notes_describe(session, train, notes);
    for (size_t i = 0; i < TRAIN_NOTES; i++) {
        const char *text = clgrad_notes_find(theirs, notes[i].name), *ours = notes[i].text;
        char room[TRAIN_NAME_SIZE + 2];
        if (text == NULL && (i < LOSS || i > CLIP_VALUE))
            return train_notes_missing(options->resume, notes[i].name, message);
        if (text != NULL && strcmp(text, ours) != 0)
            return train_refuse(
                message,
                "--resume %.200s: %s is not what it was saved with: \"%.500s\" there, \"%.500s\" "
                "here",
                options->resume, option_of(options, i, text, ours, room), text, ours);
    }
    return true;
}
