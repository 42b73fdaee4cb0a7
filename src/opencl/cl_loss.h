/*
 * Losses on a device: what follows from a call's arguments, and how each extent of loss evaluates it.
 *
 * loss.c          works the call out and hands it to the file of its extent
 * loss_element.c  a value for each element
 * loss_row.c      a value for each row of classes
 * loss_channel.c  a value for each column of classes, with further dimensions behind them
 * loss_ctc.c      a value for each sequence
 * loss_whole.c    one value
 */
#ifndef CLGRAD_CL_LOSS_H
#define CLGRAD_CL_LOSS_H

#include "cl_backend.h"

/* Which results a call wants, and what its upstream gradient is; as in kernels/loss.cl. */
enum {
    WANT_TOTAL = 1,     /* value: one number, the sum of all terms */
    WANT_VALUES = 2,    /* value: each term */
    WANT_GRADIENT = 4,  /* dprediction */
    UPSTREAM_ONE = 8,   /* dvalue is one number for all terms */
    UPSTREAM_EACH = 16, /* dvalue is a number for each term */
    WANT_DTARGET = 32,
    WANT_DOTHER = 64
};

typedef struct clgrad_cl_loss_call {
    clgrad_context *context;
    clgrad_cl_context *cl;
    const clgrad_loss *loss;
    const clgrad_loss_info *info;
    clgrad_loss_inputs inputs;
    clgrad_tensor dvalue, value;
    clgrad_loss_gradients gradients;
    /* The prediction is [batch, classes, inner] for ROW and CHANNEL, inner the product of all further
     * dimensions, and [time, batch, classes] for SEQUENCE; these are not set for the others. */
    size_t time, batch, classes, inner;
    size_t terms; /* unreduced values: elements, rows, columns or sequences */
    cl_int wants; /* a sum of the above */
    /*
     * A mean is (sum of terms / 2^e) * (2^e / divisor), with 2^e the first power of two that is not below the
     * divisor (the number of terms; the batch for batchmean): the first is exact, and the sum cannot overflow
     * where the mean does not. term_scale = 2^-e goes into each term and each gradient, total_scale =
     * 2^e / divisor into the sum, and into each gradient once more. Both are 1 for none and sum.
     */
    double term_scale, total_scale;
} clgrad_cl_loss_call;

/* One for each extent. */
clgrad_status clgrad_cl_loss_elements(const clgrad_cl_loss_call *call);
clgrad_status clgrad_cl_loss_rows(const clgrad_cl_loss_call *call);
clgrad_status clgrad_cl_loss_channels(const clgrad_cl_loss_call *call);
clgrad_status clgrad_cl_loss_sequences(const clgrad_cl_loss_call *call);
clgrad_status clgrad_cl_loss_whole(const clgrad_cl_loss_call *call);

#endif
