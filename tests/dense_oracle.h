/*
 * What a dense layer should compute: the reference's functions called directly, past every dispatcher, with
 * the tolerance that dense.h states, its sums of magnitudes taken by the same functions over magnitudes.
 */
#ifndef DENSE_ORACLE_H
#define DENSE_ORACLE_H

#include <clgrad/clgrad.h>

/* The operands of one layer in host memory; bias may be NULL. */
typedef struct layer {
    clgrad_activation activation;
    size_t batch, in, out;
    float *x, *weight, *bias, *dh;
} layer;

/* A layer of ordinary numbers, always the same; sizes are batch, in, out. */
layer make_layer(clgrad_activation activation, const size_t sizes[3], bool has_bias);
void layer_free(layer l);

/* The exact pre-activation, and how far from it a device may be. */
typedef struct forward_oracle {
    double *z, *tolerance;
} forward_oracle;

forward_oracle exact_forward(layer l);
void forward_oracle_free(forward_oracle o);

/* The exact gradients for a pre-activation rounded to float32, and how far from them a device may be. */
typedef struct gradients {
    double *dz, *dweight, *dbias, *dx;
} gradients;

typedef struct backward_oracle {
    float *z;
    gradients exact, tolerance;
} backward_oracle;

backward_oracle exact_backward(layer l);
void backward_oracle_free(backward_oracle o);

/* ---- the operands of both passes ---- */

enum { X, WEIGHT, BIAS, Z, H, DH, DZ, DWEIGHT, DBIAS, DX, OPERANDS };

/* An operand's shape, without a buffer yet. */
clgrad_tensor describe_operand(layer l, int operand);

/* Operands in buffers of their own, with guards: inputs as the layer has them, outputs NaN. */
void allocate_operands(clgrad_context *context, layer l, clgrad_tensor o[OPERANDS]);
void free_operands(clgrad_context *context, const clgrad_tensor o[OPERANDS]);

/* Offsets one after the other, some operands touching, and the number of elements in all. */
size_t lay_out_operands(layer l, clgrad_tensor o[OPERANDS]);
void write_inputs(clgrad_context *context, layer l, const clgrad_tensor o[OPERANDS]);

clgrad_status forward(clgrad_context *context, const clgrad_activation *activation,
                      const clgrad_tensor o[OPERANDS]);
clgrad_status backward(clgrad_context *context, const clgrad_activation *activation,
                       const clgrad_tensor o[OPERANDS]);

/* ---- checking a device ---- */

/* Where the backward pass puts dz. */
typedef enum dz_place { DZ_APART, DZ_IS_DH, DZ_IS_Z } dz_place;

/* Run a layer on the device, outputs apart and in place, and compare. */
void check_forward(clgrad_context *context, layer l);
void check_backward(clgrad_context *context, layer l, dz_place place, bool wants_dx);

/* The backward pass as a link of a chain: dz is given, and dx behind the derivative of the
 * activation below at x. */
void check_chained(clgrad_context *context, clgrad_activation below, const size_t sizes[3]);

/* Both, with and without bias, dz in each place, with and without dx. */
void check_layer(clgrad_context *context, clgrad_activation activation, const size_t sizes[3]);

#endif
