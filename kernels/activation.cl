/*
 * Activations: act_NAME is f(x), act_NAME_gradient is dy * f'(x). p holds the parameters in the order of the
 * list in include/clgrad/activation.h. NaN in x comes out as NaN: a comparison with NaN is false, which the
 * order of the tests below relies on.
 */

static real act_identity(real x, float8 p)
{
    return x;
}

static real act_identity_gradient(real x, real dy, float8 p)
{
    return isnan(x) ? x : dy;
}

static real act_relu(real x, float8 p)
{
    return x <= 0 ? 0 : x;
}

static real act_relu_gradient(real x, real dy, float8 p)
{
    return x > 0 ? dy : x <= 0 ? 0 : x;
}

/* x, or slope x for x <= 0; with slope 0 that is 0 at -inf too. */
static real leaky(real x, real slope)
{
    return x > 0 ? x : x <= 0 && slope == 0 ? 0 : slope * x;
}

static real leaky_gradient(real x, real dy, real slope)
{
    return x > 0 ? dy : x <= 0 ? slope * dy : x;
}

static real act_leaky_relu(real x, float8 p)
{
    return leaky(x, p.s0);
}

static real act_leaky_relu_gradient(real x, real dy, float8 p)
{
    return leaky_gradient(x, dy, p.s0);
}

/* (lower + upper) / 2, halved first since the sum may overflow. */
static real rrelu_slope(float8 p)
{
    return 0.5f * p.s0 + 0.5f * p.s1;
}

static real act_rrelu(real x, float8 p)
{
    return leaky(x, rrelu_slope(p));
}

static real act_rrelu_gradient(real x, real dy, float8 p)
{
    return leaky_gradient(x, dy, rrelu_slope(p));
}

/* dy where the derivative is 1; 0 elsewhere, whatever dy is. */
static real masked(bool passes, real x, real dy)
{
    return isnan(x) ? x : passes ? dy : 0;
}

static real act_relu6(real x, float8 p)
{
    return x <= 0 ? 0 : x > 6 ? 6 : x;
}

static real act_relu6_gradient(real x, real dy, float8 p)
{
    return masked(x > 0 && x < 6, x, dy);
}

static real act_softshrink(real x, float8 p)
{
    const real lambd = p.s0;
    return fabs(x) <= lambd ? 0 : x - copysign(lambd, x);
}

static real act_softshrink_gradient(real x, real dy, float8 p)
{
    return masked(fabs(x) > p.s0, x, dy);
}

static real act_hardshrink(real x, float8 p)
{
    return fabs(x) <= p.s0 ? 0 : x;
}

static real act_hardshrink_gradient(real x, real dy, float8 p)
{
    return masked(fabs(x) > p.s0, x, dy);
}

static real act_threshold(real x, float8 p)
{
    const real threshold = p.s0, value = p.s1;
    return x <= threshold ? value : x;
}

static real act_threshold_gradient(real x, real dy, float8 p)
{
    return masked(x > p.s0, x, dy);
}

static real act_hardtanh(real x, float8 p)
{
    const real min_val = p.s0, max_val = p.s1;
    return x < min_val ? min_val : x > max_val ? max_val : x;
}

static real act_hardtanh_gradient(real x, real dy, float8 p)
{
    return masked(x > p.s0 && x < p.s1, x, dy);
}

static real act_clamp(real x, float8 p)
{
    return act_hardtanh(x, p);
}

static real act_clamp_gradient(real x, real dy, float8 p)
{
    return act_hardtanh_gradient(x, dy, p);
}

#define SIXTH 0.166666672f

/* (x + 3) / 6: the sum is exact close to -3, where the result is small. */
static real act_hardsigmoid(real x, float8 p)
{
    return x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) * SIXTH;
}

static real act_hardsigmoid_gradient(real x, real dy, float8 p)
{
    return masked(x > -3 && x < 3, x, dy * SIXTH);
}

/* x from -3 on, times (x + 3) / 6 up to 1. */
static real act_hardswish(real x, float8 p)
{
    const real within = -3 > x ? -3 : x, factor = (within + 3) * SIXTH;
    return within * (1 < factor ? 1 : factor);
}

/* (2 x + 3) / 6, exact before the division close to its zero at -3 / 2. */
static real act_hardswish_gradient(real x, real dy, float8 p)
{
    const real derivative = x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) * SIXTH;
    return derivative == 0 ? 0 : dy * derivative;
}

static real act_softsign(real x, float8 p)
{
    return isinf(x) ? copysign((real)1, x) : x / (1 + fabs(x));
}

/* The quotient squared, since the denominator's square may overflow. */
static real act_softsign_gradient(real x, real dy, float8 p)
{
    const real quotient = 1 / (1 + fabs(x));
    return dy * (quotient * quotient);
}

static real act_abs(real x, float8 p)
{
    return fabs(x);
}

static real act_abs_gradient(real x, real dy, float8 p)
{
    return dy * (x > 0 ? 1 : x < 0 ? -1 : x);
}

/* With alpha 0 that is beta at infinity too. */
static real act_linear(real x, float8 p)
{
    const real alpha = p.s0, beta = p.s1;
    return alpha == 0 && !isnan(x) ? beta : fma(alpha, x, beta);
}

static real act_linear_gradient(real x, real dy, float8 p)
{
    return isnan(x) ? x : p.s0 * dy;
}

/* The host names the one that a program is built for: ACTIVATION, act_relu say. */
#define ACTIVATION_GRADIENT JOIN(ACTIVATION, _gradient)

/*
 * Whether the whole group lies within n. Compilers that make a loop of a group take this test out of it, and
 * only the last group pays for the test of each element: stores under a mask, which are slow on CPUs.
 */
static bool group_within(ulong n)
{
    return (get_group_id(0) + 1) * get_local_size(0) <= n;
}

/* A compiler that leaves the formula a function of its own may merge the two calls again. */
#ifdef __clang__
#define INLINED __attribute__((flatten))
#else
#define INLINED
#endif

#ifdef KERNEL_activation_forward
INLINED __kernel void activation_forward(ulong n, __global const storage *x, ulong x_at, __global storage *y,
                                         ulong y_at, float8 p)
{
    const size_t i = get_global_id(0);
    if (group_within(n))
        STORE(y, y_at + i, ACTIVATION(LOAD(x, x_at + i), p));
    else if (i < n)
        STORE(y, y_at + i, ACTIVATION(LOAD(x, x_at + i), p));
}
#endif

#ifdef KERNEL_activation_backward
INLINED __kernel void activation_backward(ulong n, __global const storage *x, ulong x_at,
                                          __global const storage *dy, ulong dy_at, __global storage *dx,
                                          ulong dx_at, float8 p)
{
    const size_t i = get_global_id(0);
    if (group_within(n))
        STORE(dx, dx_at + i, ACTIVATION_GRADIENT(LOAD(x, x_at + i), LOAD(dy, dy_at + i), p));
    else if (i < n)
        STORE(dx, dx_at + i, ACTIVATION_GRADIENT(LOAD(x, x_at + i), LOAD(dy, dy_at + i), p));
}
#endif
