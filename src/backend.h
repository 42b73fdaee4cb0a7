/*
 * The seam between the public API and what computes: one table of functions a family. A backend may rely
 * on its arguments: the family's file in src/ has checked every pointer, shape, type, range and overlap
 * before it calls here, turned optional tensors that were left out into absent ones, and kept to itself what
 * moves no data: a tensor to write, read, fill, copy or gather into is not empty, a copy not onto itself.
 *
 * A backend function enqueues or computes, and answers with a status and, after a failure, a sentence left
 * by clgrad_fail. Only context.finish and tensor.read, and write as far as the host memory goes, wait.
 */
#ifndef CLGRAD_BACKEND_H
#define CLGRAD_BACKEND_H

#include <clgrad/clgrad.h>

typedef struct clgrad_context_functions {
    void (*destroy)(clgrad_context *context); /* frees the context itself too */
    clgrad_status (*finish)(clgrad_context *context);
} clgrad_context_functions;

typedef struct clgrad_tensor_functions {
    /* Allocate buffer->bytes bytes and keep them in buffer->storage; 0 bytes are possible. */
    clgrad_status (*allocate)(clgrad_context *context, clgrad_buffer *buffer);
    void (*release)(clgrad_context *context, clgrad_buffer *buffer);
    clgrad_status (*write)(clgrad_context *context, clgrad_tensor tensor, const void *data);
    clgrad_status (*read)(clgrad_context *context, clgrad_tensor tensor, void *data);
    clgrad_status (*fill)(clgrad_context *context, clgrad_tensor tensor, double value);
    clgrad_status (*copy)(clgrad_context *context, clgrad_tensor source, clgrad_tensor destination);
    clgrad_status (*axpby)(clgrad_context *context, float alpha, clgrad_tensor x, float beta,
                           clgrad_tensor y);
    clgrad_status (*gather)(clgrad_context *context, clgrad_tensor source, clgrad_tensor indices,
                            clgrad_tensor destination);
    /* Record a fault of kind ANOMALY where a float32 tensor has a NaN or an infinity; the site is its limit.
     */
    clgrad_status (*look)(clgrad_context *context, clgrad_tensor tensor, int32_t site);
} clgrad_tensor_functions;

typedef struct clgrad_activation_functions {
    clgrad_status (*forward)(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                             clgrad_tensor y);
    clgrad_status (*backward)(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                              clgrad_tensor dy, clgrad_tensor dx);
} clgrad_activation_functions;

/* What a dense layer's backward pass finds done by the layer above, and does for the one below. */
typedef struct clgrad_dense_chain {
    bool given_dz; /* dh is dz already; both are one tensor */
    /* Unless NULL: x is its output, and dx becomes dx * f'(z), the dz of the layer below; z is that layer's
     * pre-activation, or x itself where the output is enough. */
    const clgrad_activation *below;
    clgrad_tensor below_z;
} clgrad_dense_chain;

typedef struct clgrad_dense_functions {
    /* bias may be absent; h may be z */
    clgrad_status (*forward)(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                             clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor z, clgrad_tensor h);
    /* dbias and dx may be absent; dz may be dh or z */
    clgrad_status (*backward)(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                              clgrad_tensor weight, clgrad_tensor z, clgrad_tensor dh, clgrad_tensor dz,
                              clgrad_tensor dweight, clgrad_tensor dbias, clgrad_tensor dx,
                              clgrad_dense_chain chain);
    /* Whether taking in the derivative below costs less than a pass of the layer below. */
    bool (*chains)(clgrad_context *context);
} clgrad_dense_functions;

typedef struct clgrad_loss_functions {
    /* dvalue may be absent, and is where value is present; of value and the gradients at least one is there.
     * dprediction may be prediction, dtarget target, dother other. */
    clgrad_status (*evaluate)(clgrad_context *context, const clgrad_loss *loss,
                              const clgrad_loss_inputs *inputs, clgrad_tensor dvalue, clgrad_tensor value,
                              const clgrad_loss_gradients *gradients);
} clgrad_loss_functions;

typedef struct clgrad_optimizer_functions {
    /* One group and absent ranges, or several with ranges; state may be absent where no group has slots. */
    clgrad_status (*step)(clgrad_context *context, const clgrad_optimizer *groups, size_t group_count,
                          clgrad_tensor ranges, uint64_t step, clgrad_tensor gradient,
                          clgrad_tensor parameters, clgrad_tensor state);
} clgrad_optimizer_functions;

typedef struct clgrad_softmax_functions {
    /* y may be x; dx may be y or dy */
    clgrad_status (*forward)(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor x,
                             clgrad_tensor y);
    clgrad_status (*backward)(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor y,
                              clgrad_tensor dy, clgrad_tensor dx);
} clgrad_softmax_functions;

typedef struct clgrad_gated_functions {
    /* dx or dweight may be absent, not both; dx may be x or dy */
    clgrad_status (*prelu_forward)(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor y);
    clgrad_status (*prelu_backward)(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight);
    clgrad_status (*glu_forward)(clgrad_context *context, clgrad_tensor x, clgrad_tensor y);
    clgrad_status (*glu_backward)(clgrad_context *context, clgrad_tensor x, clgrad_tensor dy,
                                  clgrad_tensor dx);
} clgrad_gated_functions;

typedef struct clgrad_noise_functions {
    /* forward and backward alike: y may be x */
    clgrad_status (*dropout)(clgrad_context *context, float p, uint64_t seed, uint64_t stream,
                             clgrad_tensor x, clgrad_tensor y);
    /* out = times where x > 0, else slope times; times is x forward and dy backward; out may be either */
    clgrad_status (*rrelu)(clgrad_context *context, float lower, float upper, uint64_t seed, uint64_t stream,
                           clgrad_tensor x, clgrad_tensor times, clgrad_tensor out);
} clgrad_noise_functions;

typedef struct clgrad_normalization_functions {
    /* weight, bias, and mean with rstd may be absent; y may be x */
    clgrad_status (*layer_forward)(clgrad_context *context, float eps, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor bias, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd);
    /* weight, and dx, dweight, dbias (not all of them) may be absent; dx may be dy */
    clgrad_status (*layer_backward)(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor mean, clgrad_tensor rstd, clgrad_tensor dy,
                                    clgrad_tensor dx, clgrad_tensor dweight, clgrad_tensor dbias);
    /* the running statistics are there in evaluation; the rest as above */
    clgrad_status (*batch_forward)(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                                   clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor running_mean,
                                   clgrad_tensor running_var, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd);
    clgrad_status (*batch_backward)(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                                    clgrad_tensor weight, clgrad_tensor mean, clgrad_tensor rstd,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight,
                                    clgrad_tensor dbias);
} clgrad_normalization_functions;

typedef struct clgrad_clip_functions {
    /* total_norm may be absent; the gradient is not empty in either */
    clgrad_status (*norm)(clgrad_context *context, float max_norm, float norm_type, clgrad_tensor gradient,
                          clgrad_tensor total_norm);
    clgrad_status (*value)(clgrad_context *context, float clip_value, clgrad_tensor gradient);
} clgrad_clip_functions;

typedef struct clgrad_backend {
    const clgrad_context_functions *context;
    const clgrad_tensor_functions *tensor;
    const clgrad_activation_functions *activation;
    const clgrad_dense_functions *dense;
    const clgrad_loss_functions *loss;
    const clgrad_optimizer_functions *optimizer;
    const clgrad_softmax_functions *softmax;
    const clgrad_gated_functions *gated;
    const clgrad_noise_functions *noise;
    const clgrad_normalization_functions *normalization;
    const clgrad_clip_functions *clip;
} clgrad_backend;

/*
 * An index that pointed outside its range, found while an operation ran, or with detect_anomaly a result that
 * is not finite. finish and read leave what the
 * device has found in context->fault, and clear the device's own record; src/context.c reports it.
 */
typedef enum clgrad_fault_kind {
    CLGRAD_FAULT_NONE = 0,
    CLGRAD_FAULT_CLASS = 1,         /* a class index of a loss */
    CLGRAD_FAULT_ROW = 2,           /* a row index of a gather */
    CLGRAD_FAULT_INPUT_LENGTH = 3,  /* of a ctc: valid are 0 to limit - 1, the time steps */
    CLGRAD_FAULT_TARGET_LENGTH = 4, /* of a ctc: likewise, the target's room */
    CLGRAD_FAULT_GROUP = 5,         /* an optimizer's group; valid is -1 too; suspends no step */
    CLGRAD_FAULT_ANOMALY = 6 /* no index: an element that is not finite; value has its bits, limit a site */
} clgrad_fault_kind;

typedef struct clgrad_fault {
    int32_t kind;
    int32_t position; /* of the index in its tensor, INT32_MAX where it is larger */
    int32_t value;
    int32_t limit; /* valid are 0 to limit - 1; INT32_MAX where it is larger */
} clgrad_fault;

/* What looks at results while it is asked to (anomaly.c). */
typedef struct clgrad_watch {
    void (*end)(clgrad_context *context);    /* no longer; what has been found is not reported any more */
    void (*forget)(clgrad_context *context); /* all that was looked at was good, or has been reported */
    clgrad_status (*report)(clgrad_context *context, clgrad_fault fault); /* of kind ANOMALY */
} clgrad_watch;

/* What every backend's context begins with. */
struct clgrad_context {
    const clgrad_backend *backend;
    clgrad_device device;
    size_t references; /* the caller's, and one for each live buffer */
    clgrad_fault fault;
    clgrad_counters counters;
    clgrad_watch *watch; /* NULL where nobody asks */
    size_t layer;        /* that a network's call is at, counted from 1; 0 outside */
    char error[sizeof(clgrad_message)];
};

struct clgrad_buffer {
    clgrad_context *context;
    size_t bytes;
    void *storage; /* the backend's */
    bool borrowed; /* storage is the caller's, not allocated here */
    /* Where it lies, for telling overlaps: storage at byte 0, but for a caller's sub-buffer its parent. */
    void *root;
    size_t origin;
};

/* Each backend's way in. On failure *context is NULL and message holds a sentence. */
clgrad_status clgrad_ref_context_create(clgrad_context **context, clgrad_message *message);
clgrad_status clgrad_cl_context_create(const char *specification, clgrad_context **context,
                                       clgrad_message *message);

/* Describe the backend's devices: the reference is one, OpenCL says how many there are. OUT_OF_MEMORY. */
void clgrad_ref_device(clgrad_device *device);
clgrad_status clgrad_cl_device_list(clgrad_device *devices, size_t capacity, size_t *count);

#endif
