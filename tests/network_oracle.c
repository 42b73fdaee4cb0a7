#include "network_oracle.h"

#include "harness.h"
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>

samples make_samples(size_t rows, size_t inputs, size_t outputs, bool with_classes)
{
    samples s = {.rows = rows, .inputs = inputs, .outputs = outputs};
    s.x = allocate(rows * inputs, sizeof *s.x);
    fill_normal(s.x, rows * inputs, 11, 1);
    if (with_classes) {
        s.classes = allocate(rows, sizeof *s.classes);
        for (size_t i = 0; i < rows; i++)
            s.classes[i] = (int32_t)((i * 5 + i / 3) % outputs);
        return s;
    }
    s.target = allocate(rows * outputs, sizeof *s.target);
    fill_normal(s.target, rows * outputs, 12, 1);
    for (size_t row = 0; row < rows; row++) {
        double sum = 0;
        for (size_t k = 0; k < outputs; k++)
            sum += exp((double)s.target[row * outputs + k]);
        for (size_t k = 0; k < outputs; k++)
            s.target[row * outputs + k] = (float)(exp((double)s.target[row * outputs + k]) / sum);
    }
    return s;
}

void samples_free(samples s)
{
    free(s.x);
    free(s.target);
    free(s.classes);
}

clgrad_tensor upload_x(clgrad_context *context, samples s)
{
    return matrix_with(context, s.rows, s.inputs, s.x);
}

clgrad_tensor upload_target(clgrad_context *context, samples s)
{
    return s.classes != NULL ? tensor_with(context, CLGRAD_TYPE_INT32, 1, &s.rows, s.classes)
                             : matrix_with(context, s.rows, s.outputs, s.target);
}

/* ---- one layer ---- */

/* What a layer has for so many inputs. */
typedef struct extents {
    size_t outputs, weight, bias, running;
} extents;

static extents extents_of(const clgrad_layer *l, size_t inputs)
{
    const size_t affine = l->affine ? inputs : 0;
    switch (l->kind) {
    case CLGRAD_LAYER_DENSE:
        return (extents){l->outputs, l->outputs * inputs, l->bias ? l->outputs : 0, 0};
    case CLGRAD_LAYER_PRELU:
        return (extents){inputs, l->per_channel ? inputs : 1, 0, 0};
    case CLGRAD_LAYER_GLU:
        return (extents){inputs / 2, 0, 0, 0};
    case CLGRAD_LAYER_LAYER_NORM:
        return (extents){inputs, affine, l->bias ? affine : 0, 0};
    case CLGRAD_LAYER_BATCH_NORM:
        return (extents){inputs, affine, affine, l->track_running_stats ? 2 * inputs : 0};
    case CLGRAD_LAYER_ACTIVATION:
    case CLGRAD_LAYER_RRELU:
    case CLGRAD_LAYER_SOFTMAX:
    case CLGRAD_LAYER_SOFTMIN:
    case CLGRAD_LAYER_LOG_SOFTMAX:
    case CLGRAD_LAYER_DROPOUT:
        break;
    }
    return (extents){inputs, 0, 0, 0};
}

/* A layer in a pass: its arrays, NULL for what it has not, and the words it draws. */
typedef struct layer_pass {
    const clgrad_layer *layer;
    pass p;
    size_t rows, inputs;
    const double *x, *weight, *bias;
    double *running;
    const uint32_t *words;
} layer_pass;

static void batch_norm_layer(const layer_pass *l, double *y)
{
    const clgrad_batch_norm norm = {.eps = l->layer->eps,
                                    .momentum = l->layer->momentum,
                                    .training = l->p.training || !l->layer->track_running_stats};
    double *fresh = allocate(2 * l->inputs, sizeof *fresh);
    for (size_t i = 0; i < l->inputs; i++)
        fresh[l->inputs + i] = 1;
    double *mean = l->running != NULL ? l->running : fresh, *variance = mean + l->inputs;
    clgrad_ref_batch_norm(&norm, l->rows, l->inputs, l->x, l->weight, l->bias, mean, variance, y, NULL, NULL);
    free(fresh);
}

static void dropout_layer(const layer_pass *l, double *y)
{
    for (size_t i = 0; i < l->rows * l->inputs; i++)
        if (!l->p.training)
            y[i] = l->x[i];
        else
            y[i] = clgrad_ref_dropped(l->layer->p, l->words[i]) ? 0 : l->x[i] / (1 - (double)l->layer->p);
}

static void rrelu_layer(const layer_pass *l, double *y)
{
    const double middle = ((double)l->layer->lower + (double)l->layer->upper) / 2;
    for (size_t i = 0; i < l->rows * l->inputs; i++) {
        const double slope =
            l->p.training ? clgrad_ref_rrelu_slope(l->layer->lower, l->layer->upper, l->words[i]) : middle;
        y[i] = l->x[i] > 0 ? l->x[i] : slope * l->x[i];
    }
}

static void softmax_layer(clgrad_softmax_kind kind, const layer_pass *l, double *y)
{
    for (size_t row = 0; row < l->rows; row++)
        clgrad_ref_softmax(kind, l->inputs, l->x + row * l->inputs, y + row * l->inputs);
}

static void layer_output(const layer_pass *l, double *y)
{
    switch (l->layer->kind) {
    case CLGRAD_LAYER_DENSE:
        clgrad_ref_dense_forward(&l->layer->activation, l->rows, l->inputs, l->layer->outputs, l->x,
                                 l->weight, l->bias, y, y);
        break;
    case CLGRAD_LAYER_ACTIVATION:
        for (size_t i = 0; i < l->rows * l->inputs; i++)
            y[i] = clgrad_ref_activate(&l->layer->activation, l->x[i]);
        break;
    case CLGRAD_LAYER_PRELU:
        clgrad_ref_prelu(l->rows, l->inputs, 1, l->layer->per_channel ? l->inputs : 1, l->x, l->weight, y);
        break;
    case CLGRAD_LAYER_RRELU:
        rrelu_layer(l, y);
        break;
    case CLGRAD_LAYER_GLU:
        for (size_t row = 0; row < l->rows; row++)
            clgrad_ref_glu(l->inputs / 2, l->x + row * l->inputs, y + row * (l->inputs / 2));
        break;
    case CLGRAD_LAYER_SOFTMAX:
        softmax_layer(CLGRAD_SOFTMAX_SOFTMAX, l, y);
        break;
    case CLGRAD_LAYER_SOFTMIN:
        softmax_layer(CLGRAD_SOFTMAX_SOFTMIN, l, y);
        break;
    case CLGRAD_LAYER_LOG_SOFTMAX:
        softmax_layer(CLGRAD_SOFTMAX_LOG_SOFTMAX, l, y);
        break;
    case CLGRAD_LAYER_DROPOUT:
        dropout_layer(l, y);
        break;
    case CLGRAD_LAYER_LAYER_NORM:
        clgrad_ref_layer_norm(l->layer->eps, l->rows, l->inputs, l->x, l->weight, l->bias, y, NULL, NULL);
        break;
    case CLGRAD_LAYER_BATCH_NORM:
        batch_norm_layer(l, y);
        break;
    }
}

/* ---- all of them ---- */

static extents extents_of_all(const clgrad_network_options *options)
{
    extents all = {.outputs = options->inputs};
    for (size_t i = 0; i < options->layer_count; i++) {
        const extents own = extents_of(&options->layers[i], all.outputs);
        all = (extents){own.outputs, all.weight + own.weight, all.bias + own.bias, all.running + own.running};
    }
    return all;
}

size_t parameter_count(const clgrad_network_options *options)
{
    const extents all = extents_of_all(options);
    return all.weight + all.bias;
}

size_t running_count(const clgrad_network_options *options)
{
    return extents_of_all(options).running;
}

size_t output_count(const clgrad_network_options *options)
{
    return extents_of_all(options).outputs;
}

double *exact_output(const clgrad_network_options *options, const double *parameters, samples s, pass p)
{
    double *x = widen(s.x, s.rows * s.inputs), *running = p.running;
    size_t inputs = s.inputs;
    for (size_t i = 0; i < options->layer_count; i++) {
        const clgrad_layer *l = &options->layers[i];
        const extents own = extents_of(l, inputs);
        uint32_t *words = allocate(s.rows * inputs, sizeof *words);
        const uint64_t stream = (UINT64_C(1) << 63) + p.number * options->layer_count + i;
        clgrad_ref_words(options->seed, stream, s.rows * inputs, words);
        const layer_pass each = {.layer = l,
                                 .p = p,
                                 .rows = s.rows,
                                 .inputs = inputs,
                                 .x = x,
                                 .weight = own.weight > 0 ? parameters : NULL,
                                 .bias = own.bias > 0 ? parameters + own.weight : NULL,
                                 .running = own.running > 0 ? running : NULL,
                                 .words = words};
        double *y = allocate(s.rows * own.outputs, sizeof *y);
        layer_output(&each, y);
        free(words);
        free(x);
        x = y;
        parameters += own.weight + own.bias;
        running = running != NULL ? running + own.running : NULL;
        inputs = own.outputs;
    }
    return x;
}

double exact_output_loss(const clgrad_network_options *options, const double *parameters, samples s, pass p)
{
    double *prediction = exact_output(options, parameters, s, p), loss = 0;
    double *target = s.target != NULL ? widen(s.target, s.rows * s.outputs) : NULL;
    const clgrad_ref_loss_arrays arrays = {.rank = 2,
                                           .shape = {s.rows, s.outputs},
                                           .prediction = prediction,
                                           .target = target,
                                           .classes = s.classes,
                                           .value = &loss};
    assert_int_equal(clgrad_ref_loss(&options->loss, &arrays).kind, CLGRAD_FAULT_NONE);
    free(prediction);
    free(target);
    return loss;
}

double *exact_prediction(const clgrad_network_options *options, const double *parameters, samples s)
{
    return exact_output(options, parameters, s, (pass){0});
}

double exact_loss(const clgrad_network_options *options, const double *parameters, samples s)
{
    return exact_output_loss(options, parameters, s, (pass){0});
}

void assert_slopes(const char *label, const float *gradient, double *parameters, size_t count,
                   double (*loss)(const void *data, const double *parameters), const void *data)
{
    double *slopes = allocate(count, sizeof *slopes), largest = 0;
    for (size_t i = 0; i < count; i++) {
        const double middle = parameters[i], step = 1e-5;
        parameters[i] = middle + step;
        const double above = loss(data, parameters);
        parameters[i] = middle - step;
        slopes[i] = (above - loss(data, parameters)) / (2 * step);
        parameters[i] = middle;
        largest = fmax(largest, fabs(slopes[i]));
    }
    for (size_t i = 0; i < count; i++)
        if (!is_close(gradient[i], slopes[i], 2e-5 * largest))
            fail_msg("%s: gradient[%zu] is %.9g, the slope %.9g, the largest %g", label, i,
                     (double)gradient[i], slopes[i], largest);
    if (count > 0 && !(largest > 1e-4)) /* of something, that is */
        fail_msg("%s: the largest slope is %g", label, largest);
    free(slopes);
}

clgrad_network *build(clgrad_context *context, const clgrad_network_options *options)
{
    clgrad_network *network = NULL;
    assert_ok(context, clgrad_network_create(context, options, &network));
    return network;
}

/* ---- networks to test with ---- */

clgrad_network_options mixed_network(clgrad_layer layers[LAYERS], size_t variant)
{
    const size_t outputs[LAYERS] = {6, 5, 3};
    for (size_t i = 0; i < LAYERS; i++) {
        layers[i] =
            clgrad_layer_dense(outputs[i], (clgrad_activation_kind)((variant + i) % CLGRAD_ACTIVATION_COUNT));
        layers[i].activation.negative_slope = variant % 2 == 0 ? 0.25f : -0.25f;
        if (isnan(clgrad_ref_activate(&layers[i].activation, -1))) /* not for what a layer gives */
            layers[i].activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
        layers[i].bias = (variant + i) % 3 != 0;
        layers[i].initializer = (clgrad_initializer)((variant + i) % 4);
    }
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = LAYERS;
    options.seed = 100 + variant;
    return options;
}

double *scatter_parameters(clgrad_context *context, clgrad_network *network, uint64_t seed)
{
    const clgrad_tensor parameters = clgrad_network_parameters(network);
    const size_t count = clgrad_tensor_count(parameters);
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, seed, 0.7);
    assert_ok(context, clgrad_tensor_write(context, parameters, numbers, count * sizeof *numbers));
    double *wide = widen(numbers, count);
    free(numbers);
    return wide;
}

double *scatter_running(clgrad_context *context, const clgrad_network_options *options,
                        clgrad_network *network)
{
    const size_t count = running_count(options);
    if (count == 0)
        return NULL;
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, 31, 0.5);
    size_t at = 0, inputs = options->inputs;
    for (size_t i = 0; i < options->layer_count; i++) {
        const extents own = extents_of(&options->layers[i], inputs);
        for (size_t k = own.running / 2; k < own.running; k++)
            numbers[at + k] = 0.5f + fabsf(numbers[at + k]);
        at += own.running;
        inputs = own.outputs;
    }
    assert_ok(context, clgrad_tensor_write(context, clgrad_network_running_stats(network), numbers,
                                           count * sizeof *numbers));
    double *wide = widen(numbers, count);
    free(numbers);
    return wide;
}

double *tensor_doubles(clgrad_context *context, clgrad_tensor tensor)
{
    float *numbers = tensor_floats(context, tensor);
    double *wide = widen(numbers, clgrad_tensor_count(tensor));
    free(numbers);
    return wide;
}

void assert_near(clgrad_context *context, const char *label, clgrad_tensor tensor, const double *exact,
                 double tolerance)
{
    const size_t count = clgrad_tensor_count(tensor);
    float *got = tensor_floats(context, tensor);
    double *tolerances = allocate(count, sizeof *tolerances);
    for (size_t i = 0; i < count; i++)
        tolerances[i] = tolerance * (1 + fabs(exact[i]));
    assert_all_close(label, got, exact, tolerances, count);
    free(tolerances);
    free(got);
}

training start(clgrad_context *context, const clgrad_network_options *options)
{
    samples s = make_samples(9, 4, 3, true);
    const training t = {build(context, options), upload_x(context, s), upload_target(context, s),
                        scalar_with(context, NAN)};
    samples_free(s);
    return t;
}

void stop(clgrad_context *context, training t)
{
    tensor_free(context, t.x);
    tensor_free(context, t.target);
    tensor_free(context, t.loss);
    clgrad_network_destroy(t.network);
}

void step(clgrad_context *context, training t)
{
    assert_ok(context, clgrad_network_train_step(t.network, t.x, t.target, t.loss));
}
