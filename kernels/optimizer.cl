/*
 * Optimizers: opt_NAME makes one step for one parameter. It gets the parameter w, the gradient g and the
 * state s (as it was before the step; it changes it), and returns the new parameter.
 *
 * a holds the options in the order of the list in include/clgrad/optimizer.h. d holds what the host makes of
 * them and of the step's number, in double precision: src/opencl/optimizer_derived.c says what, for each
 * name. d.s6 and d.s7 are what the slots 0 and 1 of the state begin with; further ones begin with 0.
 *
 * Where a gradient and a weight decay are added, they may cancel: fma makes it one rounding of the exact sum,
 * so that no later division or square magnifies an error.
 */

/* The gradient with the sign that maximize asks for, and the gradient of the L2 penalty added. */
static real decayed(real g, real w, real weight_decay, real maximize)
{
    if (maximize != 0)
        g = -g;
    return weight_decay != 0 ? fma(weight_decay, w, g) : g;
}

/*
 * w less decay w and an update. A factor 1 - decay would be rounded the same way in every step and drag the
 * parameters along; only an infinite parameter, which has no difference, takes it.
 */
static real shrunk(real w, real decay, real update)
{
    return isinf(w) ? w * (1 - decay) - update : w - (decay * w + update);
}

/* The sign as a number; NaN of NaN (OpenCL's own makes that 0). */
static real sign_of(real x)
{
    return isnan(x) ? x : sign(x);
}

static real opt_sgd(real w, real g, real *s, float8 a, float8 d)
{
    const real lr = a.s0, momentum = a.s1, weight_decay = a.s3;
    const bool nesterov = a.s4 != 0, first = d.s1 != 0;

    g = decayed(g, w, weight_decay, a.s5);
    if (momentum != 0) {
        s[0] = first ? g : momentum * s[0] + d.s0 * g;
        g = nesterov ? g + momentum * s[0] : s[0];
    }
    return w - lr * g;
}

/* ---- adam and its relatives: averages of the gradient in slot 0, of its square in slot 1 ---- */

static void adam_averages(real g, real *s, float8 a, float8 d)
{
    const real beta1 = a.s1, beta2 = a.s2;
    s[0] = beta1 * s[0] + d.s0 * g;
    s[1] = beta2 * s[1] + d.s1 * g * g;
}

/* What both take off the parameter. */
static real adam_update(real g, real *s, float8 a, float8 d)
{
    const real eps = a.s3;
    const bool amsgrad = a.s5 != 0;
    adam_averages(g, s, a, d);
    if (amsgrad)
        s[2] = larger(s[2], s[1]);
    return d.s2 * (s[0] / (sqrt(amsgrad ? s[2] : s[1]) * d.s3 + eps));
}

static real opt_adam(real w, real g, real *s, float8 a, float8 d)
{
    return w - adam_update(decayed(g, w, a.s4, a.s6), s, a, d);
}

static real opt_adamw(real w, real g, real *s, float8 a, float8 d)
{
    return shrunk(w, d.s4, adam_update(decayed(g, w, 0, a.s6), s, a, d));
}

static real opt_adamax(real w, real g, real *s, float8 a, float8 d)
{
    const real beta1 = a.s1, beta2 = a.s2, eps = a.s3;
    g = decayed(g, w, a.s4, a.s5);
    s[0] = beta1 * s[0] + d.s0 * g;
    s[1] = larger(beta2 * s[1], fabs(g) + eps);
    return w - d.s1 * (s[0] / s[1]);
}

/* d.s3 is the decoupled decay here and in radam, or 0. */
static real opt_nadam(real w, real g, real *s, float8 a, float8 d)
{
    const real eps = a.s3;
    const bool decoupled = a.s6 != 0;
    g = decayed(g, w, decoupled ? 0 : a.s4, a.s7);
    adam_averages(g, s, a, d);
    const real update = (d.s4 * s[0] + d.s5 * g) / (sqrt(s[1]) * d.s2 + eps);
    return shrunk(w, d.s3, update);
}

static real opt_radam(real w, real g, real *s, float8 a, float8 d)
{
    const real eps = a.s3;
    const bool decoupled = a.s5 != 0, rectified = d.s4 != 0;
    g = decayed(g, w, decoupled ? 0 : a.s4, a.s6);
    adam_averages(g, s, a, d);
    const real update = rectified ? s[0] / (sqrt(s[1]) + eps) : s[0];
    return shrunk(w, d.s3, d.s2 * update);
}

/* ---- steps scaled by the gradients so far ---- */

static real opt_adagrad(real w, real g, real *s, float8 a, float8 d)
{
    const real eps = a.s4;
    g = decayed(g, w, a.s2, a.s5);
    s[0] += g * g;
    return w - d.s0 * (g / (sqrt(s[0]) + eps));
}

static real opt_adadelta(real w, real g, real *s, float8 a, float8 d)
{
    const real lr = a.s0, rho = a.s1, eps = a.s2;
    g = decayed(g, w, a.s3, a.s4);
    s[0] = rho * s[0] + d.s0 * g * g;
    const real delta = sqrt(s[1] + eps) / sqrt(s[0] + eps) * g;
    s[1] = rho * s[1] + d.s0 * delta * delta;
    return w - lr * delta;
}

/*
 * Slot 0 is the average of the squares, centered that minus the square of the average: their difference
 * itself, since of two rounded numbers it would come out as anything, negative too. With v' = alpha v + (1 -
 * alpha) g^2 and m' = alpha m + (1 - alpha) g, v' - m'^2 = alpha (v - m^2) + alpha (1 - alpha) (g - m)^2.
 */
static real opt_rmsprop(real w, real g, real *s, float8 a, float8 d)
{
    const real lr = a.s0, alpha = a.s1, eps = a.s2, momentum = a.s4;
    const bool has_momentum = momentum > 0, centered = a.s5 != 0;
    g = decayed(g, w, a.s3, a.s6);
    const real mean = has_momentum ? s[2] : s[1], away = g - mean, new_mean = alpha * mean + d.s0 * g;
    s[0] = alpha * s[0] + (centered ? d.s1 * away * away : d.s0 * g * g);
    const real plain = g / (sqrt(s[0]) + eps), step = has_momentum ? momentum * s[1] + plain : plain;
    s[1] = has_momentum ? step : centered ? new_mean : s[1];
    s[2] = has_momentum && centered ? new_mean : s[2];
    return w - lr * step;
}

/* ---- steps by the sign ---- */

/* Slot 0 is the last gradient, slot 1 the step size. Signs are compared, since a product might underflow. */
static real opt_rprop(real w, real g, real *s, float8 a, float8 d)
{
    const real etaminus = a.s1, etaplus = a.s2, step_min = a.s3, step_max = a.s4;
    g = decayed(g, w, 0, a.s5);
    const real turn = sign_of(g) * sign_of(s[0]);
    real size = turn > 0 ? s[1] * etaplus : turn < 0 ? s[1] * etaminus : s[1];
    size = size < step_min ? step_min : size > step_max ? step_max : size;
    if (turn < 0)
        g = 0;
    s[0] = g;
    s[1] = size;
    return w - sign_of(g) * size;
}

static real opt_lion(real w, real g, real *s, float8 a, float8 d)
{
    const real lr = a.s0, beta1 = a.s1, beta2 = a.s2;
    g = decayed(g, w, 0, a.s4);
    const real direction = sign_of(beta1 * s[0] + d.s0 * g);
    s[0] = beta2 * s[0] + d.s1 * g;
    return shrunk(w, d.s2, lr * direction);
}

/* ---- averaging ---- */

static real opt_asgd(real w, real g, real *s, float8 a, float8 d)
{
    const real eta = d.s0, decay = d.s1, mu = d.s2;
    g = decayed(g, w, a.s4, a.s5);
    const real updated = shrunk(w, decay, eta * g);
    /* where mu is 1 whatever the average was, NaN too */
    s[0] = mu == 1 ? updated : s[0] + (updated - s[0]) * mu;
    return updated;
}

/* ---- the launch ---- */

/*
 * One parameter's step, or none, by OPTIMIZER, the function that the host names: opt_sgd say. Step 1 finds
 * the state as it begins, whatever the memory holds, and leaves it so even where there is no step, for the
 * next one to go on from. w and state point at the parameter; slot k is n further.
 *
 * All is loaded and stored again whatever the conditions: a compiler for a CPU makes vector code of that, but
 * not of branches. The host names the number of SLOTS, so that nothing is read behind the state's end.
 */
static void step_one(ulong n, bool first, bool wanted, real g, __global storage *w, __global storage *state,
                     float8 a, float8 d)
{
    const real kept = LOAD(w, 0), kept0 = SLOTS > 0 ? LOAD(state, 0) : 0,
               kept1 = SLOTS > 1 ? LOAD(state, n) : 0, kept2 = SLOTS > 2 ? LOAD(state, 2 * n) : 0;
    const real before[3] = {first ? d.s6 : kept0, first ? d.s7 : kept1, first ? 0 : kept2};
    real s[3] = {before[0], before[1], before[2]};
    const real updated = OPTIMIZER(kept, g, s, a, d);
    STORE(w, 0, wanted ? updated : kept);
    if (SLOTS > 0)
        STORE(state, 0, wanted ? s[0] : before[0]);
    if (SLOTS > 1)
        STORE(state, n, wanted ? s[1] : before[1]);
    if (SLOTS > 2)
        STORE(state, 2 * n, wanted ? s[2] : before[2]);
}

/* While an index fault is pending there is no step. */
#ifdef KERNEL_optimizer_step
__kernel void optimizer_step(ulong n, int first, __global const storage *gradient, ulong gradient_at,
                             __global storage *w, ulong w_at, __global storage *state, ulong state_at,
                             float8 a, float8 d, __global const int *fault)
{
    const size_t i = get_global_id(0);
    const bool wanted = fault[0] == 0;
    if ((wanted || first) && i < n)
        step_one(n, first, wanted, LOAD(gradient, gradient_at + i), w + w_at + i, state + state_at + i, a, d);
}

#endif

#ifdef KERNEL_optimizer_step_groups

/* As in src/opencl/optimizer.c. */
typedef struct group_options {
    float8 a, d;
} group_options;

typedef struct all_options {
    group_options groups[8];
} all_options;

/* The row of ranges (end, group), with ascending ends, that i belongs to: the first that ends behind it. */
static ulong find_range(__global const int *ranges, ulong rows, int i)
{
    ulong first = 0, end = rows;
    while (first < end) {
        const ulong middle = first + (end - first) / 2;
        if (ranges[2 * middle] > i)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

/*
 * Parameters of no group have no step, and a state that begins as the first group's. A group that there is
 * not goes into the second record of faults: it does not suspend what the same launch, or a later one, does
 * with other groups, and nobody reads what somebody else may be writing.
 *
 * A work-item takes STRIP neighbours, on a CPU many: it searches once for all of them that are in one range,
 * and their steps become vector code.
 */
__kernel void optimizer_step_groups(ulong n, int first, __global const storage *restrict gradient,
                                    ulong gradient_at, __global storage *restrict w, ulong w_at,
                                    __global storage *restrict state, ulong state_at, all_options options,
                                    int group_count, __global const int *ranges, ulong ranges_at, ulong rows,
                                    __global int *fault)
{
    const size_t from = get_global_id(0) * STRIP, end = min((size_t)n, from + STRIP);
    const bool suspended = fault[0] != 0;
    for (size_t i = from, stop; i < end; i = stop) {
        const ulong row = find_range(ranges + ranges_at, rows, (int)i);
        const int group = row < rows ? ranges[ranges_at + 2 * row + 1] : -1;
        stop = row < rows ? min(end, (size_t)ranges[ranges_at + 2 * row]) : end;
        const bool exists = group >= 0 && group < group_count;
        if (!exists && group != -1 && !suspended)
            record_fault(fault + 4, FAULT_GROUP, row, group, (ulong)group_count);
        const float8 a = options.groups[exists ? group : 0].a, d = options.groups[exists ? group : 0].d;
        for (size_t k = i; k < stop; k++)
            step_one(n, first, exists && !suspended, LOAD(gradient, gradient_at + k), w + w_at + k,
                     state + state_at + k, a, d);
    }
}

#endif
