/*
 * Optimizers: opt_NAME makes one step (counted from 1) for parameter i of n. a holds the options in the order
 * of the list in include/clgrad/optimizer.h; slot k of the state begins at state + k n.
 */

static void opt_sgd(ulong n, size_t i, ulong step, real g, __global storage *w, __global storage *state,
                    float8 a)
{
    const real lr = a.s0, momentum = a.s1, dampening = a.s2, weight_decay = a.s3;
    const bool nesterov = a.s4 != 0;

    const real old = LOAD(w, i);
    if (weight_decay != 0)
        g += weight_decay * old;
    if (momentum != 0) {
        const real velocity = step == 1 ? g : momentum * LOAD(state, i) + (1 - dampening) * g;
        STORE(state, i, velocity);
        g = nesterov ? g + momentum * velocity : velocity;
    }
    STORE(w, i, old - lr * g);
}

/*
 * The host names the one that a program is built for: OPTIMIZER, opt_sgd say. While an index fault is pending
 * nothing changes; only a first step that is suspended still makes sure that the next one finds a state, of
 * zeros.
 */
__kernel void optimizer_step(ulong n, ulong step, ulong slots, __global const storage *gradient,
                             ulong gradient_at, __global storage *w, ulong w_at, __global storage *state,
                             ulong state_at, float8 a, __global const int *fault)
{
    const size_t i = get_global_id(0);
    if (i >= n)
        return;
    if (fault[0] == 0)
        OPTIMIZER(n, i, step, LOAD(gradient, gradient_at + i), w + w_at, state + state_at, a);
    else if (step == 1)
        for (ulong slot = 0; slot < slots; slot++)
            STORE(state, state_at + slot * n + i, 0);
}
