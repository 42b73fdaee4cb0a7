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

/*
 * 2^power exp(x) for x <= 0, within 1.2 ulp on any device, where OpenCL allows its own exp 3. With n the
 * integer next to x / ln 2, r = x - n ln 2 lies within ln(2) / 2 of 0; ln 2 in two parts, of which n times
 * the first is exact (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6). exp(r)
 * by its Taylor series to r^7, off by less than 6e-9 there. Two factors make 2^n, since one would be denormal
 * too early.
 */
static real exp_of_negative(real x, int power)
{
    const real bounded = x < -120 ? -120 : x; /* 0 in the end; NaN stays */
    const real n = rint(bounded * 1.44269504f);
    const real r = (bounded - n * 0.693145752f) - n * 1.42860677e-6f;
    const real tail =
        0.5f + r * (0.166666667f +
                    r * (0.0416666667f + r * (0.00833333333f + r * (0.00138888889f + r * 0.000198412698f))));
    const int exponent = (int)n + power, half_exponent = exponent / 2;
    const real first = as_float((half_exponent + 127) << 23);
    const real second = as_float((exponent - half_exponent + 127) << 23);
    return (1 + (r + r * r * tail)) * first * second;
}

/* exp(-|x|) never overflows; each tail keeps its relative accuracy. */
static real act_sigmoid(real x, float8 p)
{
    const real e = exp_of_negative(-fabs(x), 0);
    return (x >= 0 ? 1 : e) / (1 + e);
}

static real act_sigmoid_gradient(real x, real dy, float8 p)
{
    const real e = exp_of_negative(-fabs(x), 0);
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
    const real e = exp_of_negative(-2 * fabs(x), 0);
    const real far = copysign((1 - e) / (1 + e), x);
    return fabs(x) < 0.55f ? near : far;
}

/* 4 e / (1 + e)^2 with e = exp(-2 |x|); 4 e in one go, since e may be denormal where 4 e is not. */
static real act_tanh_gradient(real x, real dy, float8 p)
{
    const real e4 = exp_of_negative(-2 * fabs(x), 2), sum = 1 + e4 / 4;
    return dy * (e4 / (sum * sum));
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

__kernel void activation_forward(ulong n, __global const storage *x, ulong x_at, __global storage *y,
                                 ulong y_at, float8 p)
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
