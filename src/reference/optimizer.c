/*
 * Optimizers. Hyperparameters are the descriptor's floats, taken as doubles.
 */
#include "reference.h"

#include "../internal.h"

#include <string.h>

/*
 * PyTorch optim.SGD, its algorithm box line by line. Momentum as PyTorch has it: the learning rate multiplies
 * the buffer, where Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in
 * deep learning", 2013, put it inside.
 */
static void ref_sgd(const clgrad_optimizer *optimizer, uint64_t step, size_t count, const double *gradient,
                    double *parameters, double *state)
{
    const double lr = optimizer->lr;
    const double momentum = optimizer->momentum;
    const double dampening = optimizer->dampening;
    const double weight_decay = optimizer->weight_decay;

    for (size_t i = 0; i < count; i++) {
        double g = gradient[i];
        if (weight_decay != 0)
            g += weight_decay * parameters[i];
        if (momentum != 0) {
            double b = step == 1 ? g : momentum * state[i] + (1 - dampening) * g;
            state[i] = b;
            g = optimizer->nesterov ? g + momentum * b : b;
        }
        parameters[i] -= lr * g;
    }
}

typedef void formula(const clgrad_optimizer *optimizer, uint64_t step, size_t count, const double *gradient,
                     double *parameters, double *state);

static formula *const formulas[] = {
#define ROW(value, identifier, name, ...) [value] = ref_##name,
    CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
};

void clgrad_ref_optimizer_step(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                               const double *gradient, double *parameters, double *state)
{
    formulas[optimizer->kind](optimizer, step, count, gradient, parameters, state);
}

static clgrad_status optimizer_step(clgrad_context *context, const clgrad_optimizer *optimizer, uint64_t step,
                                    clgrad_tensor gradient, clgrad_tensor parameters, clgrad_tensor state)
{
    clgrad_ref_arrays arrays = {.context = context};
    if (context->fault.kind != CLGRAD_FAULT_NONE) {
        /* Suspended until the fault has been reported; but the step after a first one must find a state. */
        if (step == 1 && clgrad_present(state))
            memset(clgrad_ref_data(state), 0, clgrad_bytes(state));
        return CLGRAD_STATUS_SUCCESS;
    }
    double *gradient64 = clgrad_ref_load(&arrays, gradient);
    double *parameters64 = clgrad_ref_load(&arrays, parameters);
    double *state64 = clgrad_ref_load(&arrays, state);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        clgrad_ref_optimizer_step(optimizer, step, clgrad_tensor_count(parameters), gradient64, parameters64,
                                  state64);
        clgrad_ref_store(parameters64, parameters);
        clgrad_ref_store(state64, state);
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_optimizer_functions clgrad_ref_optimizer_functions = {
    .step = optimizer_step,
};
