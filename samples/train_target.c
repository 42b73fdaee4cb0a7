#include "train_target.h"

#include "train_common.h"

#include <math.h>
#include <stdlib.h>

/* What stands in the target. */
typedef enum target_form {
    NUMBERS,     /* the one-hot row of the class; in a regression the number */
    COUNTS,      /* the same, but the number in its own units: counts are not standardised */
    LOGARITHMS,  /* of the one-hot row, smoothed so that none is infinite */
    SIGNS,       /* 1 for the class, -1 for the others */
    CLASS_INDEX, /* int32 */
    CLASS_LIST,  /* int32: the class, then -1 */
    LABEL,       /* int32: the class, passed over the blank; and lengths of 1 */
    ALIKE        /* 1: prediction and other belong together */
} target_form;

/* What stands in other. */
typedef enum other_form { NOTHING, ZEROS, ONES, THE_CLASS, ANOTHER_CLASS } other_form;

typedef enum task { CLASSIFICATION = 1, REGRESSION = 2, BOTH = 3 } task;

typedef struct usage {
    task tasks;
    target_form target;
    other_form other;
} usage;

/* No default: the compiler names a loss that is missing here. */
static usage usage_of(const clgrad_loss *loss)
{
    switch (loss->kind) {
    case CLGRAD_LOSS_MSE:
    case CLGRAD_LOSS_L2:
    case CLGRAD_LOSS_L1:
    case CLGRAD_LOSS_HUBER:
    case CLGRAD_LOSS_SMOOTH_L1:
        return (usage){BOTH, NUMBERS, NOTHING};
    case CLGRAD_LOSS_POISSON_NLL:
        return (usage){BOTH, COUNTS, NOTHING};
    case CLGRAD_LOSS_GAUSSIAN_NLL: /* of variance 1 everywhere */
        return (usage){BOTH, NUMBERS, ONES};
    case CLGRAD_LOSS_KL_DIV:
        return (usage){CLASSIFICATION, loss->log_target ? LOGARITHMS : NUMBERS, NOTHING};
    case CLGRAD_LOSS_KL_DIV_PROBABILITY:
    case CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY:
    case CLGRAD_LOSS_BCE:
    case CLGRAD_LOSS_BCE_BALANCED:
    case CLGRAD_LOSS_BCE_WITH_LOGITS:
    case CLGRAD_LOSS_SIGMOID_FOCAL:
    case CLGRAD_LOSS_DICE:
    case CLGRAD_LOSS_MULTILABEL_SOFT_MARGIN:
        return (usage){CLASSIFICATION, NUMBERS, NOTHING};
    case CLGRAD_LOSS_HINGE_EMBEDDING: /* each output is the distance to a class */
    case CLGRAD_LOSS_SOFT_MARGIN:
        return (usage){CLASSIFICATION, SIGNS, NOTHING};
    case CLGRAD_LOSS_MARGIN_RANKING: /* the class ranks above 0, the others below */
        return (usage){CLASSIFICATION, SIGNS, ZEROS};
    case CLGRAD_LOSS_CROSS_ENTROPY:
    case CLGRAD_LOSS_NLL:
    case CLGRAD_LOSS_FOCAL:
    case CLGRAD_LOSS_MULTI_MARGIN:
        return (usage){CLASSIFICATION, CLASS_INDEX, NOTHING};
    case CLGRAD_LOSS_MULTILABEL_MARGIN:
        return (usage){CLASSIFICATION, CLASS_LIST, NOTHING};
    case CLGRAD_LOSS_COSINE_EMBEDDING:
        return (usage){CLASSIFICATION, ALIKE, THE_CLASS};
    case CLGRAD_LOSS_TRIPLET_MARGIN: /* prediction the anchor, target the positive, other the negative */
    case CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE:
        return (usage){CLASSIFICATION, NUMBERS, ANOTHER_CLASS};
    case CLGRAD_LOSS_CTC:
        return (usage){CLASSIFICATION, LABEL, NOTHING};
    }
    return (usage){0};
}

bool train_loss_fits(clgrad_loss_kind kind, bool classification)
{
    const clgrad_loss loss = clgrad_loss_defaults(kind);
    return usage_of(&loss).tasks & (classification ? CLASSIFICATION : REGRESSION);
}

/* Distances and rates are positive: softplus makes them so. */
clgrad_layer train_loss_output(const clgrad_loss *loss)
{
    switch (clgrad_loss_describe(loss->kind)->input) {
    case CLGRAD_LOSS_NUMBER:
        if (loss->kind == CLGRAD_LOSS_HINGE_EMBEDDING ||
            (loss->kind == CLGRAD_LOSS_POISSON_NLL && !loss->log_input))
            return clgrad_layer_activation(CLGRAD_ACTIVATION_SOFTPLUS);
        break;
    case CLGRAD_LOSS_LOGIT:
        break;
    case CLGRAD_LOSS_PROBABILITY:
        if (loss->kind == CLGRAD_LOSS_BCE || loss->kind == CLGRAD_LOSS_BCE_BALANCED)
            return clgrad_layer_activation(CLGRAD_ACTIVATION_SIGMOID);
        return clgrad_layer_defaults(CLGRAD_LAYER_SOFTMAX);
    case CLGRAD_LOSS_LOG_PROBABILITY:
        return clgrad_layer_defaults(CLGRAD_LAYER_LOG_SOFTMAX);
    }
    return clgrad_layer_activation(CLGRAD_ACTIVATION_IDENTITY);
}

size_t train_loss_outputs(const clgrad_loss *loss, const dataset *set)
{
    const size_t blank = loss->kind == CLGRAD_LOSS_CTC ? 1 : 0;
    return set->class_count > 0 ? set->class_count + blank : 1;
}

/* The number of a row of a regression, as the loss is given it. */
static double number_of(const clgrad_loss *loss, const dataset *set, size_t row)
{
    const double y = (double)set->y[row];
    return usage_of(loss).target == COUNTS ? y * set->y_std + set->y_mean : y;
}

bool train_loss_suits(const clgrad_loss *loss, const dataset *set, clgrad_message *message)
{
    const char *name = clgrad_loss_describe(loss->kind)->name;
    if (usage_of(loss).other == ANOTHER_CLASS && set->class_count < 2) {
        snprintf(message->text, sizeof message->text,
                 "--loss %s needs two classes at least, the data has %zu", name, set->class_count);
        return false;
    }
    if (loss->kind == CLGRAD_LOSS_CTC && (size_t)loss->blank > set->class_count) {
        snprintf(message->text, sizeof message->text,
                 "--loss ctc: blank is %d, with %zu classes it is 0 to %zu", (int)loss->blank,
                 set->class_count, set->class_count);
        return false;
    }
    for (size_t i = 0; usage_of(loss).target == COUNTS && set->y != NULL && i < set->rows; i++) {
        if (number_of(loss, set, i) < -1e-4 * set->y_std) { /* more than the rounding of y */
            snprintf(message->text, sizeof message->text, "--loss %s is for counts, but the target has %g",
                     name, number_of(loss, set, i));
            return false;
        }
    }
    return true;
}

/* ---- the inputs, made on the host ---- */

/* A class other than the row's own; from row to row each in turn. */
static size_t another_class(const dataset *set, size_t row)
{
    const size_t step = 1 + row % (set->class_count - 1);
    return ((size_t)set->classes[row] + step) % set->class_count;
}

/* The float32 target of one row. */
static void fill_target(const clgrad_loss *loss, const dataset *set, size_t row, size_t outputs,
                        float *target)
{
    const target_form form = usage_of(loss).target;
    const double share = 1e-3; /* of the row, spread over all classes where a logarithm is taken */
    if (form == ALIKE) {
        target[0] = 1;
        return;
    }
    if (set->y != NULL) {
        target[0] = (float)fmax(number_of(loss, set, row), form == COUNTS ? 0 : -INFINITY);
        return;
    }
    for (size_t j = 0; j < outputs; j++) {
        const bool own = (size_t)set->classes[row] == j;
        if (form == LOGARITHMS)
            target[j] = (float)log((own ? 1 - share : 0) + share / (double)outputs);
        else
            target[j] = own ? 1 : form == SIGNS ? -1 : 0;
    }
}

/* The int32 target of one row. */
static void fill_integers(const clgrad_loss *loss, const dataset *set, size_t row, size_t width,
                          int32_t *target)
{
    const int32_t class = set->classes[row];
    target[0] = usage_of(loss).target == LABEL && class >= loss->blank ? class + 1 : class;
    for (size_t j = 1; j < width; j++)
        target[j] = -1;
}

static void fill_other(const clgrad_loss *loss, const dataset *set, size_t row, size_t outputs, float *other)
{
    const other_form form = usage_of(loss).other;
    for (size_t j = 0; j < outputs; j++)
        other[j] = form == ONES ? 1 : 0;
    if (form == THE_CLASS)
        other[set->classes[row]] = 1;
    else if (form == ANOTHER_CLASS)
        other[another_class(set, row)] = 1;
}

/* ---- and sent to the device ---- */

static bool create(clgrad_context *context, clgrad_type type, int rank, const size_t *shape, const void *data,
                   clgrad_tensor *tensor, clgrad_message *message)
{
    clgrad_status status = clgrad_tensor_create(context, type, rank, shape, tensor);
    if (status == CLGRAD_STATUS_SUCCESS && data != NULL)
        status = clgrad_tensor_write(context, *tensor, data, clgrad_tensor_count(*tensor) * sizeof(float));
    return train_succeeded(context, status, message);
}

static bool create_target(clgrad_context *context, const clgrad_loss *loss, const dataset *set,
                          clgrad_tensor *target, clgrad_message *message)
{
    const target_form form = usage_of(loss).target;
    const bool integers = form == CLASS_INDEX || form == CLASS_LIST || form == LABEL;
    const bool one_each = form == CLASS_INDEX || form == ALIKE; /* of rank 1 */
    const size_t outputs = train_loss_outputs(loss, set), width = one_each || form == LABEL ? 1 : outputs;
    _Static_assert(sizeof(float) == sizeof(int32_t), "both have 32 bits");
    float *memory = train_allocate(set->rows, width * sizeof *memory, message);
    if (memory == NULL)
        return false;
    for (size_t i = 0; i < set->rows; i++)
        if (integers)
            fill_integers(loss, set, i, width, (int32_t *)memory + i * width);
        else
            fill_target(loss, set, i, outputs, memory + i * width);
    const bool created = create(context, integers ? CLGRAD_TYPE_INT32 : CLGRAD_TYPE_FLOAT32, one_each ? 1 : 2,
                                (size_t[]){set->rows, width}, memory, target, message);
    free(memory);
    return created;
}

static bool create_other(clgrad_context *context, const clgrad_loss *loss, const dataset *set,
                         clgrad_tensor *other, clgrad_message *message)
{
    const size_t outputs = train_loss_outputs(loss, set);
    float *memory = train_allocate(set->rows, outputs * sizeof *memory, message);
    if (memory == NULL)
        return false;
    for (size_t i = 0; i < set->rows; i++)
        fill_other(loss, set, i, outputs, memory + i * outputs);
    const bool created =
        create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){set->rows, outputs}, memory, other, message);
    free(memory);
    return created;
}

/* One time step, one label. */
static bool create_lengths(clgrad_context *context, size_t rows, clgrad_tensor *lengths,
                           clgrad_message *message)
{
    return create(context, CLGRAD_TYPE_INT32, 1, &rows, NULL, lengths, message) &&
           train_succeeded(context, clgrad_tensor_fill(context, *lengths, 1), message);
}

void train_row_inputs(clgrad_loss_inputs *inputs, clgrad_tensor *parts[TRAIN_ROW_INPUTS])
{
    parts[0] = &inputs->target;
    parts[1] = &inputs->other;
    parts[2] = &inputs->input_lengths;
    parts[3] = &inputs->target_lengths;
}

bool train_inputs_create(clgrad_context *context, const clgrad_loss *loss, const dataset *set,
                         clgrad_loss_inputs *inputs, clgrad_message *message)
{
    const usage use = usage_of(loss);
    *inputs = clgrad_loss_inputs_none();
    return create_target(context, loss, set, &inputs->target, message) &&
           (use.other == NOTHING || create_other(context, loss, set, &inputs->other, message)) &&
           (use.target != LABEL || (create_lengths(context, set->rows, &inputs->input_lengths, message) &&
                                    create_lengths(context, set->rows, &inputs->target_lengths, message)));
}

bool train_inputs_room(clgrad_context *context, const clgrad_loss_inputs *like, size_t rows,
                       clgrad_loss_inputs *inputs, clgrad_message *message)
{
    clgrad_loss_inputs copy = *like;
    clgrad_tensor *from[TRAIN_ROW_INPUTS], *to[TRAIN_ROW_INPUTS];
    bool created = true;
    *inputs = clgrad_loss_inputs_none();
    train_row_inputs(&copy, from);
    train_row_inputs(inputs, to);
    for (size_t i = 0; created && i < TRAIN_ROW_INPUTS; i++) {
        from[i]->shape[0] = rows;
        if (from[i]->buffer != NULL)
            created = create(context, from[i]->type, from[i]->rank, from[i]->shape, NULL, to[i], message);
    }
    return created;
}

void train_inputs_destroy(clgrad_loss_inputs *inputs)
{
    clgrad_tensor *parts[TRAIN_ROW_INPUTS];
    train_row_inputs(inputs, parts);
    for (size_t i = 0; i < TRAIN_ROW_INPUTS; i++)
        clgrad_buffer_destroy(parts[i]->buffer);
    *inputs = clgrad_loss_inputs_none();
}

/* ---- weights ---- */

/* So that every class counts alike: rows / (classes * the class's rows); 1 for a class without any. */
static void balance(const dataset *train, float *weights)
{
    for (size_t j = 0; j < train->class_count; j++)
        weights[j] = 0;
    for (size_t i = 0; i < train->rows; i++)
        weights[train->classes[i]]++;
    for (size_t j = 0; j < train->class_count; j++)
        weights[j] = weights[j] == 0 ? 1 : (float)train->rows / ((float)train->class_count * weights[j]);
}

bool train_weights_create(clgrad_context *context, const train_options *options, const dataset *train,
                          clgrad_tensor *weight, clgrad_tensor *pos_weight, clgrad_message *message)
{
    const size_t classes = train->class_count;
    bool created = true;
    if (options->balanced) {
        float *weights = train_allocate(classes, sizeof *weights, message);
        if (weights == NULL)
            return false;
        balance(train, weights);
        created = create(context, CLGRAD_TYPE_FLOAT32, 1, &classes, weights, weight, message);
        free(weights);
    } else if (options->class_weight_count > 0)
        created = create(context, CLGRAD_TYPE_FLOAT32, 1, &classes, options->class_weights, weight, message);
    if (created && !isnan(options->pos_weight))
        created =
            create(context, CLGRAD_TYPE_FLOAT32, 1, (size_t[]){1}, &options->pos_weight, pos_weight, message);
    return created;
}

/* ---- predictions ---- */

clgrad_tensor train_loss_prediction(const clgrad_loss *loss, clgrad_tensor prediction)
{
    if (clgrad_loss_describe(loss->kind)->extent != CLGRAD_LOSS_SEQUENCE)
        return prediction;
    return (clgrad_tensor){prediction.buffer,
                           prediction.offset,
                           prediction.type,
                           3,
                           {1, prediction.shape[0], prediction.shape[1]}};
}

/* What speaks for a class: its output; where outputs are distances, that it is small. */
static float score_of(const clgrad_loss *loss, const float *outputs, size_t class)
{
    const bool behind_blank = usage_of(loss).target == LABEL && class >= (size_t)loss->blank;
    const float value = outputs[behind_blank ? class + 1 : class];
    return loss->kind == CLGRAD_LOSS_HINGE_EMBEDDING ? -value : value;
}

size_t train_predicted_class(const clgrad_loss *loss, const float *outputs, size_t classes)
{
    size_t best = 0;
    for (size_t j = 1; j < classes; j++)
        if (score_of(loss, outputs, j) > score_of(loss, outputs, best))
            best = j;
    return best;
}

void train_class_probabilities(const clgrad_loss *loss, const float *outputs, size_t classes,
                               float *probability)
{
    const bool given = clgrad_loss_describe(loss->kind)->input == CLGRAD_LOSS_PROBABILITY;
    const float most = score_of(loss, outputs, train_predicted_class(loss, outputs, classes));
    double sum = 0;
    for (size_t j = 0; j < classes; j++) {
        const float score = score_of(loss, outputs, j);
        probability[j] = given ? fmaxf(score, 0) : expf(score - most);
        sum += (double)probability[j];
    }
    for (size_t j = 0; j < classes; j++)
        probability[j] = sum == 0 ? 1 / (float)classes : (float)((double)probability[j] / sum);
}

double train_predicted_number(const clgrad_loss *loss, const dataset *set, float output)
{
    if (usage_of(loss).target == COUNTS)
        return loss->log_input ? exp((double)output) : (double)output;
    return (double)output * set->y_std + set->y_mean;
}
