/*
 * The reference backend: float32 storage in host memory, double-precision arithmetic, slow and simple by
 * design. Its formulas come from the sources cited at each, and are the oracle that the kernels are held
 * against; so nothing here may be taken from kernels/ or src/opencl/, nor the other way round.
 */
#ifndef CLGRAD_REFERENCE_REFERENCE_H
#define CLGRAD_REFERENCE_REFERENCE_H

#include "../backend.h"

/*
 * The textbook functions. Tests call them directly, past every dispatcher. They check nothing: descriptors
 * must be valid, and arrays must not overlap unless it is said that they may.
 */

/* f(x) and f'(x). */
double clgrad_ref_activate(const clgrad_activation *activation, double x);
double clgrad_ref_activate_derivative(const clgrad_activation *activation, double x);

/* dy f'(x); but 0, whatever dy is, where the list says masks and f'(x) is 0. */
double clgrad_ref_activate_backward(const clgrad_activation *activation, double x, double dy);

/* Shapes as in dense.h. bias may be NULL; h may be z. */
void clgrad_ref_dense_forward(const clgrad_activation *activation, size_t batch, size_t in, size_t out,
                              const double *x, const double *weight, const double *bias, double *z,
                              double *h);

/* dbias and dx may be NULL; dz may be dh or z. activation is NULL where dh is dz. */
void clgrad_ref_dense_backward(const clgrad_activation *activation, size_t batch, size_t in, size_t out,
                               const double *x, const double *weight, const double *z, const double *dh,
                               double *dz, double *dweight, double *dbias, double *dx);

/*
 * The reduced loss and its gradients on plain arrays. What a loss does not take, or what is not wanted, is
 * NULL. Weights of elements have been broadcast to the prediction's shape; weights of classes are [classes].
 * classes are whatever int32 target there is: class indices, multilabel_margin's lists, ctc's labels [batch,
 * room].
 */
typedef struct clgrad_ref_loss_arrays {
    int rank; /* of the prediction */
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    const double *prediction, *target, *other, *weight, *pos_weight;
    const int32_t *classes, *input_lengths, *target_lengths;
    size_t room;
    const double *dvalue; /* NULL means ones */
    double *value, *dprediction, *dtarget, *dother;
    double *scratch; /* of clgrad_ref_loss_scratch numbers; NULL where that is 0 */
} clgrad_ref_loss_arrays;

size_t clgrad_ref_loss_scratch(const clgrad_loss *loss, const clgrad_ref_loss_arrays *arrays);

/* The first index or length out of range, as the fault record has it; kind NONE where there is none. */
clgrad_fault clgrad_ref_loss(const clgrad_loss *loss, const clgrad_ref_loss_arrays *arrays);

/* count parameters of one group. Slot k of the state begins at state + k * stride; NULL where there are no
 * slots. */
void clgrad_ref_optimizer_step(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                               const double *gradient, double *parameters, double *state, size_t stride);

/* The norm of count numbers; norm_type INFINITY for the largest. */
double clgrad_ref_norm(double norm_type, size_t count, const double *numbers);

/* One row of so many numbers; y and dx may be an input. */
void clgrad_ref_softmax(clgrad_softmax_kind kind, size_t count, const double *x, double *y);
void clgrad_ref_softmax_backward(clgrad_softmax_kind kind, size_t count, const double *y, const double *dy,
                                 double *dx);

/* x is [batch, channels, inner], weight [weights] with 1 or channels of them; dx and dweight may be NULL. */
void clgrad_ref_prelu(size_t batch, size_t channels, size_t inner, size_t weights, const double *x,
                      const double *weight, double *y);
void clgrad_ref_prelu_backward(size_t batch, size_t channels, size_t inner, size_t weights, const double *x,
                               const double *weight, const double *dy, double *dx, double *dweight);

/* One row: x has 2 half numbers, y half. */
void clgrad_ref_glu(size_t half, const double *x, double *y);
void clgrad_ref_glu_backward(size_t half, const double *x, const double *dy, double *dx);

/* The words of random.h's generator for elements 0 to count - 1 of a stream. */
void clgrad_ref_words(uint64_t seed, uint64_t stream, size_t count, uint32_t *words);
bool clgrad_ref_dropped(float p, uint32_t word);
double clgrad_ref_rrelu_slope(float lower, float upper, uint32_t word);

/* As in normalization.h; whatever is optional there may be NULL. */
void clgrad_ref_layer_norm(double eps, size_t batch, size_t features, const double *x, const double *weight,
                           const double *bias, double *y, double *mean, double *rstd);
void clgrad_ref_layer_norm_backward(size_t batch, size_t features, const double *x, const double *weight,
                                    const double *mean, const double *rstd, const double *dy, double *dx,
                                    double *dweight, double *dbias);
void clgrad_ref_batch_norm(const clgrad_batch_norm *norm, size_t batch, size_t features, const double *x,
                           const double *weight, const double *bias, double *running_mean,
                           double *running_var, double *y, double *mean, double *rstd);
void clgrad_ref_batch_norm_backward(const clgrad_batch_norm *norm, size_t batch, size_t features,
                                    const double *x, const double *weight, const double *mean,
                                    const double *rstd, const double *dy, double *dx, double *dweight,
                                    double *dbias);

/* The families' entries in the backend's table. */
extern const clgrad_tensor_functions clgrad_ref_tensor_functions;
extern const clgrad_activation_functions clgrad_ref_activation_functions;
extern const clgrad_dense_functions clgrad_ref_dense_functions;
extern const clgrad_loss_functions clgrad_ref_loss_functions;
extern const clgrad_optimizer_functions clgrad_ref_optimizer_functions;
extern const clgrad_softmax_functions clgrad_ref_softmax_functions;
extern const clgrad_gated_functions clgrad_ref_gated_functions;
extern const clgrad_noise_functions clgrad_ref_noise_functions;
extern const clgrad_normalization_functions clgrad_ref_normalization_functions;
extern const clgrad_clip_functions clgrad_ref_clip_functions;

/*
 * The double arrays that one call works on. All of them are made first, then one look at the status decides
 * whether to compute, so that a call that runs out of memory changes nothing:
 *
 *     clgrad_ref_arrays arrays = {.context = context};
 *     double *x64 = clgrad_ref_load(&arrays, x);
 *     double *y64 = clgrad_ref_allocate(&arrays, y);
 *     if (arrays.status == CLGRAD_STATUS_SUCCESS) {
 *         ...
 *         clgrad_ref_store(y64, y);
 *     }
 *     return clgrad_ref_arrays_free(&arrays);
 */
typedef struct clgrad_ref_arrays {
    clgrad_context *context;
    clgrad_status status;
    struct clgrad_ref_array *first;
} clgrad_ref_arrays;

/* An array of a float32 tensor's size; NULL for an absent tensor, and once memory has run out. */
double *clgrad_ref_allocate(clgrad_ref_arrays *arrays, clgrad_tensor tensor);

/* The same, filled with the tensor's values. */
double *clgrad_ref_load(clgrad_ref_arrays *arrays, clgrad_tensor tensor);

/* Round values to the float32 tensor's storage; nothing for an absent tensor. */
void clgrad_ref_store(const double *values, clgrad_tensor tensor);

/* Free the arrays and return the status. */
clgrad_status clgrad_ref_arrays_free(clgrad_ref_arrays *arrays);

/* A tensor's first element in host memory. */
void *clgrad_ref_data(clgrad_tensor tensor);

/* Keep an index that is out of range for the next report, unless an earlier one is waiting. */
void clgrad_ref_fault(clgrad_context *context, clgrad_fault_kind kind, size_t position, int32_t value,
                      size_t limit);

#endif
