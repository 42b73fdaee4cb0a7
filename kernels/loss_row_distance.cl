/*
 * Losses of rows that are vectors, compared by their angle or their distance. Sums of squares and powers are
 * taken of numbers scaled by a power of two into the middle of the range, so that nothing in them overflows
 * or vanishes.
 */

/* The binary exponent of a size that scaling takes away; 0 for 0, and for infinity, which stays as it is. */
static int exponent_of(real size)
{
    return size > 0 && !isinf(size) ? clamp(ilogb(size), -126, 126) : 0;
}

/*
 * With c = sum x o / sqrt((sum x^2 + e) (sum o^2 + e)): 1 - c where the row's target is 1, max(0, c - margin)
 * where it is -1, else 0. e is PyTorch's, 1e-12.
 */
#ifdef KERNEL_loss_cosine_embedding
ROW_KERNEL(loss_cosine_embedding, storage)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = p.row * classes;
    const real margin = a.s0, e = 1e-12f;

    real largest[2] = {0, 0}, poison = 0;
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real x = LOAD(prediction, prediction_at + start + j);
            const real o = LOAD(other, other_at + start + j);
            poison += poison_of(x) + poison_of(o);
            largest[0] = fmax(largest[0], fabs(x));
            largest[1] = fmax(largest[1], fabs(o));
        }
    poison = sum_row(shared, p, poison);
    /* Small vectors are left alone: e is larger than their squares. */
    const real down_x = ldexp((real)1, -max(0, exponent_of(max_row(shared, p, largest[0]))));
    const real down_o = ldexp((real)1, -max(0, exponent_of(max_row(shared, p, largest[1]))));

    sum products = {0, 0}, squares_x = {0, 0}, squares_o = {0, 0};
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real x = LOAD(prediction, prediction_at + start + j) * down_x;
            const real o = LOAD(other, other_at + start + j) * down_o;
            sum_add(&products, x * o);
            sum_add(&squares_x, x * x);
            sum_add(&squares_o, o * o);
        }
    const real product = sum_row(shared, p, sum_result(products));
    const real size_x = sum_row(shared, p, sum_result(squares_x)) + e * down_x * down_x;
    const real size_o = sum_row(shared, p, sum_result(squares_o)) + e * down_o * down_o;
    const real root = sqrt(size_x) * sqrt(size_o), c = product / root;

    const real t = p.inside ? LOAD(target, target_at + p.row) : 0;
    /* Of c in the loss. */
    const real sign = t == 1 ? -1 : t == -1 && c > margin ? 1 : 0;
    const real loss = t == 1 ? 1 - c : sign * (c - margin);
    poison += poison_of(t) + poison_of(c);
    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, (sign == 0 ? poison : loss + poison) * term_scale);
    if (!p.inside || !(wants & (WANT_GRADIENT | WANT_DOTHER)))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real x = LOAD(prediction, prediction_at + start + j) * down_x;
        const real o = LOAD(other, other_at + start + j) * down_o;
        const real by_x = sign == 0 ? 0 : sign * (o / root - c * x / size_x) * down_x;
        const real by_o = sign == 0 ? 0 : sign * (x / root - c * o / size_o) * down_o;
        if (wants & WANT_GRADIENT)
            STORE(dprediction, dprediction_at + start + j, (by_x + poison) * term_scale * scale);
        if (wants & WANT_DOTHER)
            STORE(dother, dother_at + start + j, (by_o + poison) * term_scale * scale);
    }
}
#endif

/* ---- triplets ---- */

/*
 * The three vectors of a triplet are 0 the anchor, 1 the positive, 2 the negative; its pairs are 0 (anchor,
 * positive), 1 (anchor, negative) and, where they may be swapped, 2 (positive, negative).
 */
static int pair_first(int k)
{
    return k == 2;
}

static int pair_second(int k)
{
    return k == 0 ? 1 : 2;
}

/* The distance of a pair: a norm or its power of the difference, or by the angle. */
typedef struct metric {
    int norm; /* p of sum |a - b + eps|^p */
    real eps;
    bool root;   /* the norm; else its power */
    bool cosine; /* 1 - a b / (max(|a|, 1e-8) max(|b|, 1e-8)) instead */
} metric;

#define COSINE_LEAST 1e-8f

/* Element j of what is added up: of pair k's difference, in quarters, or, by the angle, of vector k. */
static real part_of(metric m, const real v[3], int k)
{
    if (m.cosine)
        return v[k] * 0.25f;
    return sum_of_three(v[pair_first(k)] * 0.25f, -v[pair_second(k)] * 0.25f, m.eps * 0.25f);
}

/* x^n by squaring; n from 0 to 16. */
static real integer_power(real x, int n)
{
    real result = 1;
    for (; n > 0; n /= 2) {
        if (n % 2 == 1)
            result *= x;
        x *= x;
    }
    return result;
}

/* Of a norm, by a part of it, x: x^(p - 1) / norm^(p - 1); 0 for x = 0. */
static real norm_slope(metric m, real x, real norm, real power)
{
    return x == 0 ? 0 : copysign(integer_power(fabs(x), m.norm - 1), x) * (norm / power);
}

/*
 * Of the cosine c between two vectors, by element x of one, other the other's over its length; all scaled,
 * and rate the scale over the own length. That takes part by the derivative of the norm also where
 * COSINE_LEAST is in its place: so PyTorch has it.
 */
static real cosine_slope(real c, real x, real other, real norm, real rate)
{
    return (other - (norm > 0 ? c * x / norm : 0)) * rate;
}

/*
 * max(0, d(anchor, positive) - d(anchor, negative) + margin); with swap, the lesser of d(anchor, negative)
 * and d(positive, negative), of equal ones both by half in the gradient. Where a distance is 0 its derivative
 * is 0. Parts are multiplied by down[k] = 2^-exponent[k] before they are added up.
 */
LOCAL_FUNCTION void triplet_row(__local real *shared, place p, metric m, real margin, bool swap,
                                ulong classes, int wants, real term_scale, __global const storage *prediction,
                                ulong prediction_at, __global const storage *target, ulong target_at,
                                __global const storage *other, ulong other_at, __global storage *values,
                                ulong values_at, real scale, __global storage *dprediction,
                                ulong dprediction_at, __global storage *dtarget, ulong dtarget_at,
                                __global storage *dother, ulong dother_at)
{
    const ulong start = p.row * classes;
    const int parts = m.cosine || swap ? 3 : 2, pairs = swap ? 3 : 2;

    real largest[3] = {0, 0, 0}, poison = 0;
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real v[3] = {LOAD(prediction, prediction_at + start + j),
                               LOAD(target, target_at + start + j), LOAD(other, other_at + start + j)};
            poison += poison_of(v[0]) + poison_of(v[1]) + poison_of(v[2]);
            for (int k = 0; k < parts; k++)
                largest[k] = fmax(largest[k], fabs(part_of(m, v, k)));
        }
    poison = sum_row(shared, p, poison);
    int exponent[3];
    real down[3];
    for (int k = 0; k < 3; k++) {
        exponent[k] = exponent_of(max_row(shared, p, largest[k]));
        down[k] = ldexp((real)1, -exponent[k]);
    }

    /* Of the parts' powers, and by the angle the pairs' products. */
    sum powers[3] = {{0, 0}, {0, 0}, {0, 0}}, products[3] = {{0, 0}, {0, 0}, {0, 0}};
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real v[3] = {LOAD(prediction, prediction_at + start + j),
                               LOAD(target, target_at + start + j), LOAD(other, other_at + start + j)};
            real part[3];
            for (int k = 0; k < parts; k++) {
                part[k] = part_of(m, v, k) * down[k];
                sum_add(&powers[k], integer_power(fabs(part[k]), m.norm));
            }
            for (int k = 0; k < pairs && m.cosine; k++)
                sum_add(&products[k], part[pair_first(k)] * part[pair_second(k)]);
        }
    real power[3], root[3], cosine[3];
    for (int k = 0; k < 3; k++) {
        power[k] = sum_row(shared, p, sum_result(powers[k]));
        cosine[k] = sum_row(shared, p, sum_result(products[k]));
        root[k] = m.norm == 1 ? power[k] : m.norm == 2 ? sqrt(power[k]) : rootn(power[k], m.norm);
    }

    /* Distances as size 2^shift: their difference may be finite where they are not. */
    real size[3] = {0, 0, 0}, length[3], rate[3];
    int shift[3] = {0, 0, 0}, highest = 0;
    for (int k = 0; k < 3 && m.cosine; k++) {
        length[k] = fmax(root[k], COSINE_LEAST * 0.25f * down[k]);
        rate[k] = 0.25f * down[k] / length[k];
    }
    for (int k = 0; k < pairs; k++) {
        if (m.cosine) {
            cosine[k] = cosine[k] / length[pair_first(k)] / length[pair_second(k)];
            size[k] = 1 - cosine[k];
        } else {
            size[k] = m.root ? root[k] : power[k];
            shift[k] = (exponent[k] + 2) * (m.root ? 1 : m.norm);
            highest = max(highest, shift[k]);
        }
    }
    for (int k = 0; k < pairs; k++)
        size[k] = ldexp(size[k], shift[k] - highest);
    real portion[3] = {1, -1, 0}; /* of each distance in the loss, where it is not 0 */
    if (swap && !(size[1] < size[2])) {
        portion[1] = size[1] == size[2] ? -0.5f : 0;
        portion[2] = -1 - portion[1];
    }
    const real lesser = swap ? fmin(size[1], size[2]) : size[1];
    const real excess = sum_of_three(size[0], -lesser, ldexp(margin, -highest));
    poison += poison_of(excess);
    const real loss = excess > 0 ? ldexp(excess * term_scale, highest) : 0;

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss + poison);
    if (!p.inside || !(wants & (WANT_GRADIENT | WANT_DTARGET | WANT_DOTHER)))
        return;
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real v[3] = {LOAD(prediction, prediction_at + start + j), LOAD(target, target_at + start + j),
                           LOAD(other, other_at + start + j)};
        real part[3], slope[3] = {0, 0, 0}; /* by each vector */
        for (int k = 0; k < parts; k++)
            part[k] = part_of(m, v, k) * down[k];
        for (int k = 0; k < pairs && excess > 0; k++) {
            if (portion[k] == 0)
                continue;
            const int first = pair_first(k), second = pair_second(k);
            real by_first, by_second;
            if (m.cosine) {
                by_first = -cosine_slope(cosine[k], part[first], part[second] / length[second], root[first],
                                         rate[first]);
                by_second = -cosine_slope(cosine[k], part[second], part[first] / length[first], root[second],
                                          rate[second]);
            } else {
                by_first = m.root ? norm_slope(m, part[k], root[k], power[k]) : 8 * part_of(m, v, k);
                by_second = -by_first;
            }
            slope[first] += portion[k] * by_first;
            slope[second] += portion[k] * by_second;
        }
        if (wants & WANT_GRADIENT)
            STORE(dprediction, dprediction_at + start + j, (slope[0] + poison) * term_scale * scale);
        if (wants & WANT_DTARGET)
            STORE(dtarget, dtarget_at + start + j, (slope[1] + poison) * term_scale * scale);
        if (wants & WANT_DOTHER)
            STORE(dother, dother_at + start + j, (slope[2] + poison) * term_scale * scale);
    }
}

#ifdef KERNEL_loss_triplet_margin
ROW_KERNEL(loss_triplet_margin, storage)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const metric m = {(int)a.s1, a.s2, true, false};
    triplet_row(shared, p, m, a.s0, a.s3 != 0, classes, wants, term_scale, prediction, prediction_at, target,
                target_at, other, other_at, values, values_at,
                row_scale(p, wants, gradient_scale, upstream, upstream_at), dprediction, dprediction_at,
                dtarget, dtarget_at, dother, dother_at);
}
#endif

/* The distance is a clgrad_distance: 0 pairwise, 1 squared, 2 cosine. */
#ifdef KERNEL_loss_triplet_margin_with_distance
ROW_KERNEL(loss_triplet_margin_with_distance, storage)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const metric m = {2, a.s1 == 0 ? 1e-6f : 0, a.s1 == 0, a.s1 == 2};
    triplet_row(shared, p, m, a.s0, a.s2 != 0, classes, wants, term_scale, prediction, prediction_at, target,
                target_at, other, other_at, values, values_at,
                row_scale(p, wants, gradient_scale, upstream, upstream_at), dprediction, dprediction_at,
                dtarget, dtarget_at, dother, dother_at);
}
#endif
