/*
 * Losses with a value for every element, all in one kernel, which the host builds for one of them:
 *
 *   LOSS           loss_NAME, from loss_element_numbers.cl or loss_element_probabilities.cl
 *   OTHER          there is a third operand
 *   WEIGHT_AT      there is a weight: how element i finds its own, same_place or broadcast_place
 *   POS_WEIGHT_AT  likewise, of the positive term
 *   WANTS          which results are wanted, as in loss.cl
 *   ABREAST        so many neighbouring elements a work-item takes at a time, see block.cl
 *
 * loss_NAME(e) is the value times e.scale, loss_NAME_gradient its derivative by the prediction,
 * loss_NAME_dtarget and loss_NAME_dother those by the target and the other, likewise times e.scale. e.scale
 * is a power of two that keeps a mean from overflowing before it is divided, times the weight. None of the
 * functions sees a NaN: the kernel does.
 */

/* The operands of one element. */
typedef struct element {
    real p, t;       /* the prediction, the target */
    real o;          /* the other, where there is one */
    real pos_weight; /* 1 where there is none */
    real scale;
    float8 a; /* the parameters in the order of the list in include/clgrad/loss_list.h */
} element;

/* The size of a group: what many work-items do elsewhere, one does abreast. */
#if ABREAST > 1
#define ITEMS 1
#else
#define ITEMS GROUP_SIZE
#endif

/* What there is, and what takes its place where it is not there. */
#ifdef OTHER
#define OTHER_OR(there, absent) (there)
#else
#define OTHER_OR(there, absent) (absent)
#endif
#ifdef WEIGHT_AT
#define WEIGHT_OR(there, absent) (there)
#else
#define WEIGHT_OR(there, absent) (absent)
#endif
#ifdef POS_WEIGHT_AT
#define POS_WEIGHT_OR(there, absent) (there)
#else
#define POS_WEIGHT_OR(there, absent) (absent)
#endif

#define LOSS_GRADIENT JOIN(LOSS, _gradient)
#define LOSS_DTARGET JOIN(LOSS, _dtarget)
#define LOSS_DOTHER JOIN(LOSS, _dother)

static real LOSS(element e);
static real LOSS_GRADIENT(element e);
#if WANTS & WANT_DTARGET
static real LOSS_DTARGET(element e);
#endif
#if WANTS & WANT_DOTHER
static real LOSS_DOTHER(element e);
#endif

/*
 * Where element i of the prediction finds its weight. layout: eight sizes of the prediction's dimensions, 1
 * in front where there are fewer, and the weight's stride in each, 0 in a dimension that it does not have.
 */
static size_t broadcast_place(size_t i, ulong16 layout)
{
    const ulong *sizes = (const ulong *)&layout, *strides = sizes + 8;
    size_t place = 0;
    for (int k = 7; i > 0 && k >= 0; k--) {
        const size_t outer = i / sizes[k];
        place += (i - outer * sizes[k]) * strides[k];
        i = outer;
    }
    return place;
}

/* The same for a weight of the prediction's own shape. */
static size_t same_place(size_t i, ulong16 layout)
{
    return i;
}

/*
 * Every group takes share elements, adds up their values in an order that depends on n and the grid alone,
 * and writes total * total_scale to totals[group] (WANT_TOTAL); or each value goes to values (WANT_VALUES).
 * Values and gradients are taken times term_scale. Gradients go times gradient_scale, and times the upstream
 * gradient where there is one: a number for each element (UPSTREAM_EACH) or for all (UPSTREAM_ONE).
 * dprediction may be prediction, dtarget target, dother other: every operand is read before any is written.
 */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
loss_element(ulong n, ulong share, real term_scale, __global const storage *prediction, ulong prediction_at,
             __global const storage *target, ulong target_at, __global const storage *other, ulong other_at,
             __global const storage *weight, ulong weight_at, ulong16 weight_layout,
             __global const storage *pos_weight, ulong pos_weight_at, ulong16 pos_weight_layout, float8 a,
             __global storage *values, ulong values_at, __global storage *totals, ulong totals_at,
             real total_scale, __global const storage *upstream, ulong upstream_at,
             __global storage *dprediction, ulong dprediction_at, __global storage *dtarget, ulong dtarget_at,
             __global storage *dother, ulong dother_at, real gradient_scale)
{
    __local real shared[ITEMS];
    const size_t item = get_local_id(0);
    const real common = WANTS & UPSTREAM_ONE ? gradient_scale * LOAD(upstream, upstream_at) : gradient_scale;

    /* The operands of the elements that are calculated abreast, their results, and the sums so far. */
    real p[ABREAST], t[ABREAST], o[ABREAST], w[ABREAST], positive[ABREAST], factor[ABREAST];
    real value[ABREAST], dp[ABREAST], dt[ABREAST], d_other[ABREAST];
    block_sum sums;
    block_sum_clear(&sums);
    EACH_OF_BLOCK (k)
        p[k] = t[k] = o[k] = w[k] = positive[k] = factor[k] = 0;

    const ulong first = get_group_id(0) * share, end = min(n, first + share);
    for (ulong from = first + item * ABREAST; from < end; from += ITEMS * ABREAST) {
        const int count = (int)min((ulong)ABREAST, end - from);
        for (int k = 0; k < count; k++) {
            p[k] = LOAD(prediction, prediction_at + from + k);
            t[k] = LOAD(target, target_at + from + k);
#ifdef OTHER
            o[k] = LOAD(other, other_at + from + k);
#endif
#ifdef WEIGHT_AT
            w[k] = LOAD(weight, weight_at + WEIGHT_AT(from + k, weight_layout));
#endif
#ifdef POS_WEIGHT_AT
            positive[k] = LOAD(pos_weight, pos_weight_at + POS_WEIGHT_AT(from + k, pos_weight_layout));
#endif
            if (WANTS & UPSTREAM_EACH)
                factor[k] = LOAD(upstream, upstream_at + from + k);
        }

        for (int k = 0; k < ABREAST; k++) {
            const element e = {p[k],
                               t[k],
                               OTHER_OR(o[k], 0),
                               POS_WEIGHT_OR(positive[k], 1),
                               WEIGHT_OR(term_scale * w[k], term_scale),
                               a};
            const bool missing =
                isnan(e.p) || isnan(e.t) || isnan(e.o) || isnan(e.pos_weight) || isnan(e.scale);
            const real scale = WANTS & UPSTREAM_EACH ? common * factor[k] : common;
            if (WANTS & (WANT_TOTAL | WANT_VALUES))
                value[k] = missing ? NAN : LOSS(e);
            if (WANTS & WANT_GRADIENT)
                dp[k] = missing ? NAN : LOSS_GRADIENT(e) * scale;
#if WANTS & WANT_DTARGET
            dt[k] = missing ? NAN : LOSS_DTARGET(e) * scale;
#endif
#if WANTS & WANT_DOTHER
            d_other[k] = missing ? NAN : LOSS_DOTHER(e) * scale;
#endif
        }

        if (WANTS & WANT_TOTAL) {
            for (int k = count; k < ABREAST; k++)
                value[k] = 0;
            block_sum_add(&sums, value);
        }

        for (int k = 0; k < count; k++) {
            if (WANTS & WANT_VALUES)
                STORE(values, values_at + from + k, value[k]);
            if (WANTS & WANT_GRADIENT)
                STORE(dprediction, dprediction_at + from + k, dp[k]);
            if (WANTS & WANT_DTARGET)
                STORE(dtarget, dtarget_at + from + k, dt[k]);
            if (WANTS & WANT_DOTHER)
                STORE(dother, dother_at + from + k, d_other[k]);
        }
    }

    const real result = sum_lanes(shared, item, item, ITEMS, block_sum_result(&sums));
    if ((WANTS & WANT_TOTAL) && item == 0)
        STORE(totals, totals_at + get_group_id(0), result * total_scale);
}

/* ---- what the formulas share ---- */

/* factor * x, and 0 where the factor is, also beside an infinite x: what has no weight does not count. */
static real times(real factor, real x)
{
    return factor == 0 ? 0 : factor * x;
}

/* What rounding has taken from a * b. */
static real product_error(real a, real b)
{
    const real product = a * b;
    return isfinite(product) ? fma(a, b, -product) : 0;
}
