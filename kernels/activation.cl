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

/* exp(-|x|) never overflows; each tail keeps its relative accuracy. */
static real act_sigmoid(real x, float8 p)
{
    const real e = exp(-fabs(x));
    return (x >= 0 ? 1 : e) / (1 + e);
}

static real act_sigmoid_gradient(real x, real dy, float8 p)
{
    const real e = exp(-fabs(x));
    return dy * (e / ((1 + e) * (1 + e)));
}

/*
 * Near 0 the fifth convergent of Lambert's continued fraction, tanh x = x / (1 + x^2 / (3 + x^2 / (5 + ...)))
 * (DLMF 4.39.1), written as x minus a small correction; its own error is below 3e-10 there. Further out the
 * definition by exponentials, where nothing cancels.
 */
static real act_tanh(real x, float8 p)
{
    const real s = x * x;
    const real near = x - x * (s * (315 + 14 * s) / (945 + s * (420 + 15 * s)));
    const real e = exp(-2 * fabs(x));
    const real far = copysign((1 - e) / (1 + e), x);
    return fabs(x) < 0.55f ? near : far;
}

static real act_tanh_gradient(real x, real dy, float8 p)
{
    const real e = exp(-2 * fabs(x));
    return dy * (4 * (e / ((1 + e) * (1 + e))));
}

static real act_relu(real x, float8 p)
{
    return x <= 0 ? 0 : x;
}

static real act_relu_gradient(real x, real dy, float8 p)
{
    return x > 0 ? dy : x <= 0 ? 0 : x;
}

static real act_leaky_relu(real x, float8 p)
{
    const real negative_slope = p.s0;
    return x > 0 ? x : x <= 0 && negative_slope == 0 ? 0 : negative_slope * x; /* 0 at -inf too */
}

static real act_leaky_relu_gradient(real x, real dy, float8 p)
{
    const real negative_slope = p.s0;
    return x > 0 ? dy : x <= 0 ? negative_slope * dy : x;
}

/* The host names the one that a program is built for: ACTIVATION, act_relu say. */
#define ACTIVATION_GRADIENT JOIN(ACTIVATION, _gradient)

__kernel void activation_forward(ulong n, __global const storage *x, ulong x_at, __global storage *y, ulong y_at,
                                 float8 p)
{
    const size_t i = get_global_id(0);
    if (i < n)
        STORE(y, y_at + i, ACTIVATION(LOAD(x, x_at + i), p));
}

__kernel void activation_backward(ulong n, __global const storage *x, ulong x_at, __global const storage *dy,
                                  ulong dy_at, __global storage *dx, ulong dx_at, float8 p)
{
    const size_t i = get_global_id(0);
    if (i < n)
        STORE(dx, dx_at + i, ACTIVATION_GRADIENT(LOAD(x, x_at + i), LOAD(dy, dy_at + i), p));
}
