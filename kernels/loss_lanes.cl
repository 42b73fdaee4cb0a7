/*
 * What the losses of rows and of columns share. Values and gradients are taken times term_scale, a power of
 * two that keeps a mean from overflowing before it is divided. The upstream gradient is one number for all
 * rows (UPSTREAM_ONE) or one for each (UPSTREAM_EACH).
 */

/* What every gradient of a row is multiplied by. */
static real row_scale(place p, int wants, real gradient_scale, __global const storage *upstream,
                      ulong upstream_at)
{
    if (!p.inside)
        return 0;
    if (wants & UPSTREAM_ONE)
        return gradient_scale * LOAD(upstream, upstream_at);
    if (wants & UPSTREAM_EACH)
        return gradient_scale * LOAD(upstream, upstream_at + p.row);
    return gradient_scale;
}

/* 0, or NaN for NaN: added up over a row it tells whether the row holds one. */
static real poison_of(real x)
{
    return isnan(x) ? x : 0;
}

static real class_weight(__global const storage *weight, ulong weight_at, size_t j)
{
    return weight != 0 ? LOAD(weight, weight_at + j) : 1;
}

/* a + b + c with next to one rounding, so that its sign is right too where they cancel. */
static real sum_of_three(real a, real b, real c)
{
    sum s = {0, 0};
    sum_add(&s, a);
    sum_add(&s, b);
    sum_add(&s, c);
    return sum_result(s);
}
