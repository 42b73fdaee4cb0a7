/*
 * Networks in double precision: the reference's functions called directly, past every dispatcher, and data to
 * train on.
 */
#ifndef NETWORK_ORACLE_H
#define NETWORK_ORACLE_H

#include <clgrad/clgrad.h>

/* Rows to train on in host memory: targets [rows, outputs], or else a class index for each row. */
typedef struct samples {
    size_t rows, inputs, outputs;
    float *x, *target;
    int32_t *classes;
} samples;

/* Ordinary numbers, always the same; targets between 0 and 1, whose rows add up to 1. */
samples make_samples(size_t rows, size_t inputs, size_t outputs, bool with_classes);
void samples_free(samples s);

clgrad_tensor upload_x(clgrad_context *context, samples s);
clgrad_tensor upload_target(clgrad_context *context, samples s);

/* The numbers of parameters, of running statistics and of outputs of a network. */
size_t parameter_count(const clgrad_network_options *options);
size_t running_count(const clgrad_network_options *options);
size_t output_count(const clgrad_network_options *options);

/*
 * How a pass goes: in training by the batch's own statistics and with the noise of the pass of that number
 * (from 0); in evaluation by the running statistics, laid out as network.h has them. running NULL: as they
 * begin; in training they are updated.
 */
typedef struct pass {
    bool training;
    uint64_t number;
    double *running;
} pass;

/* The output [rows, outputs], freed by the caller, for flat parameters as network.h has them. */
double *exact_output(const clgrad_network_options *options, const double *parameters, samples s, pass p);

/* The loss of that output for the samples' targets. */
double exact_output_loss(const clgrad_network_options *options, const double *parameters, samples s, pass p);

/* The same two in evaluation, with running statistics as they begin. */
double *exact_prediction(const clgrad_network_options *options, const double *parameters, samples s);
double exact_loss(const clgrad_network_options *options, const double *parameters, samples s);

/*
 * Hold a gradient, float32 and flat, against central differences of loss(data, parameters); the parameters
 * are moved and put back.
 */
void assert_slopes(const char *label, const float *gradient, double *parameters, size_t count,
                   double (*loss)(const void *data, const double *parameters), const void *data);

/* A network with these options, which must be accepted. */
clgrad_network *build(clgrad_context *context, const clgrad_network_options *options);

/* ---- networks to test with ---- */

enum { LAYERS = 3 };

/* A network 4-6-5-3 that mixes activations, layers with and without bias, and initialisers. */
clgrad_network_options mixed_network(clgrad_layer layers[LAYERS], size_t variant);

/* Give every parameter, biases too, an ordinary number; the same in double precision, freed by the caller. */
double *scatter_parameters(clgrad_context *context, clgrad_network *network, uint64_t seed);

/* The same for the running statistics: means, and variances above 0. NULL where there are none. */
double *scatter_running(clgrad_context *context, const clgrad_network_options *options,
                        clgrad_network *network);

/* A tensor's numbers in double precision, freed by the caller. */
double *tensor_doubles(clgrad_context *context, clgrad_tensor tensor);

/* A tensor holds these numbers, each to within tolerance times (1 + its absolute value). */
void assert_near(clgrad_context *context, const char *label, clgrad_tensor tensor, const double *exact,
                 double tolerance);

/* A network of 4 inputs and 3 classes, a batch of 9 rows with class indices, and room for a loss. */
typedef struct training {
    clgrad_network *network;
    clgrad_tensor x, target, loss;
} training;

training start(clgrad_context *context, const clgrad_network_options *options);
void stop(clgrad_context *context, training t);
void step(clgrad_context *context, training t);

#endif
