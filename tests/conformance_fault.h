/*
 * A driver that is wrong: a context whose backend's tables are replaced by some that spoil one element of one
 * operation's result. What the conformance cases are for is to find it.
 */
#ifndef CONFORMANCE_FAULT_H
#define CONFORMANCE_FAULT_H

#include <clgrad/clgrad.h>

typedef enum fault_place {
    FAULT_GATHER,          /* tensor: the destination */
    FAULT_WRITE,           /* tensor: float32 that is written, as random numbers are */
    FAULT_GELU_BACKWARD,   /* activation: dx */
    FAULT_MISH_REFUSES,    /* activation: forward answers device_error */
    FAULT_MISH_CRASHES,    /* activation: forward raises the signal whose number is the index */
    FAULT_SELU_OUTSIDE,    /* activation: forward writes behind the end of y, too */
    FAULT_PRELU_FORWARD,   /* gated: y */
    FAULT_PRELU_BACKWARD,  /* gated: dx */
    FAULT_SOFTMAX_FORWARD, /* softmax: y of the kind softmax */
    FAULT_DROPOUT,         /* noise: y */
    FAULT_LAYER_NORM,      /* normalization: y */
    FAULT_DENSE_FORWARD,   /* dense: h */
    FAULT_MSE,             /* loss: dprediction */
    FAULT_NORM,            /* clip: the norm for norm_type 3 */
    FAULT_ADAM,            /* optimizer: the parameters of a plain step */
    FAULT_ADAM_GROUPS      /* optimizer: the parameters of a step with groups */
} fault_place;

/* Spoil element index, wherever there is one, until fault_remove. One context at a time. */
void fault_inject(clgrad_context *context, fault_place place, size_t index);
void fault_remove(clgrad_context *context);

#endif
