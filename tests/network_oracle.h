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

/* The number of parameters of a network. */
size_t parameter_count(const clgrad_network_options *options);

/* The prediction [rows, outputs], freed by the caller, and the loss, for flat parameters as network.h has
 * them. */
double *exact_prediction(const clgrad_network_options *options, const double *parameters, samples s);
double exact_loss(const clgrad_network_options *options, const double *parameters, samples s);

/* A network with these options, which must be accepted. */
clgrad_network *build(clgrad_context *context, const clgrad_network_options *options);

/* ---- networks to test with ---- */

enum { LAYERS = 3 };

/* A network 4-6-5-3 that mixes activations, layers with and without bias, and initialisers. */
clgrad_network_options mixed_network(clgrad_layer layers[LAYERS], size_t variant);

/* Give every parameter, biases too, an ordinary number; the same in double precision, freed by the caller. */
double *scatter_parameters(clgrad_context *context, clgrad_network *network, uint64_t seed);

/* A network of 4 inputs and 3 classes, a batch of 9 rows with class indices, and room for a loss. */
typedef struct training {
    clgrad_network *network;
    clgrad_tensor x, target, loss;
} training;

training start(clgrad_context *context, const clgrad_network_options *options);
void stop(clgrad_context *context, training t);
void step(clgrad_context *context, training t);

#endif
