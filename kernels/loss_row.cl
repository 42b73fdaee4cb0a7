/*
 * Losses with a value for every row of classes, [batch, classes]. All kernels of the three files, this,
 * loss_row_margin.cl and loss_row_distance.cl, take the same arguments; each gradient may take its operand's
 * place.
 */

#define ROW_KERNEL(name, target_storage)                                                                   \
    __kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void name(                            \
        ulong rows, ulong classes, ulong lanes, int wants, real term_scale, float8 a,                      \
        __global const storage *prediction, ulong prediction_at, __global const target_storage *target,    \
        ulong target_at, __global const storage *other, ulong other_at, __global const storage *weight,    \
        ulong weight_at, __global storage *values, ulong values_at, __global const storage *upstream,      \
        ulong upstream_at, __global storage *dprediction, ulong dprediction_at, __global storage *dtarget, \
        ulong dtarget_at, __global storage *dother, ulong dother_at, real gradient_scale,                  \
        __global real *workspace, ulong workspace_at, __global int *fault)

/* The largest power of two that is not above 1 / n: a sum of n terms times it is finite where their mean is.
 */
static real mean_scale(ulong n)
{
    real scale = 1;
    for (ulong covered = 1; covered < n; covered *= 2)
        scale *= 0.5f;
    return scale;
}

/* -sum t log p over the classes; terms with t = 0 are left out. */
#ifdef KERNEL_loss_cross_entropy_probability
ROW_KERNEL(loss_cross_entropy_probability, storage)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = p.row * classes;

    sum total = {0, 0};
    real poison = 0;
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real x = LOAD(prediction, prediction_at + start + j);
            const real t = LOAD(target, target_at + start + j);
            poison += poison_of(x) + poison_of(t);
            if (t != 0 && !isnan(x))
                sum_add(&total, -(t * term_scale) * log(x));
        }
    poison = sum_row(shared, p, poison);
    const real loss = sum_row(shared, p, sum_result(total)) + poison;

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real t = LOAD(target, target_at + start + j);
        const real gradient = t == 0 ? 0 : -t * term_scale / LOAD(prediction, prediction_at + start + j);
        STORE(dprediction, dprediction_at + start + j, (gradient + poison) * scale);
    }
}
#endif

/* 1 - (2 sum p t + smooth) / d, d = sum p + sum t + smooth (Milletari, Navab, Ahmadi, "V-Net", 2016). */
#ifdef KERNEL_loss_dice
ROW_KERNEL(loss_dice, storage)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = p.row * classes;
    const real smooth = a.s0;

    sum products = {0, 0}, sizes = {0, 0};
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real x = LOAD(prediction, prediction_at + start + j);
            const real t = LOAD(target, target_at + start + j);
            sum_add(&products, x * t);
            sum_add(&sizes, x);
            sum_add(&sizes, t);
        }
    const real overlap = 2 * sum_row(shared, p, sum_result(products)) + smooth;
    const real size = sum_row(shared, p, sum_result(sizes)) + smooth;
    const real quotient = overlap / size;

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, (1 - quotient) * term_scale);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real t = LOAD(target, target_at + start + j);
        STORE(dprediction, dprediction_at + start + j, (quotient - 2 * t) / size * term_scale * scale);
    }
}
#endif

/*
 * The mean over the classes of w (t log(1 + exp(-x)) + (1 - t) log(1 + exp(x))); a term with t = 0 or 1 - t
 * = 0 is left out. exp is taken of -|x| alone.
 */
#ifdef KERNEL_loss_multilabel_soft_margin
ROW_KERNEL(loss_multilabel_soft_margin, storage)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = p.row * classes;
    const real shrink = mean_scale(classes), mean = 1 / (shrink * (real)classes);
    const real small = term_scale * shrink;

    sum total = {0, 0};
    real poison = 0;
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real x = LOAD(prediction, prediction_at + start + j);
            const real t = LOAD(target, target_at + start + j);
            const real w = class_weight(weight, weight_at, j) * mean, tail = log1p(exp(-fabs(x)));
            poison += poison_of(x) + poison_of(t);
            if (t != 0)
                sum_add(&total, w * t * (fmax(-x, (real)0) * small + tail * small));
            if (t != 1)
                sum_add(&total, w * (1 - t) * (fmax(x, (real)0) * small + tail * small));
        }
    poison = sum_row(shared, p, poison);
    const real loss = sum_row(shared, p, sum_result(total)) + poison;

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real x = LOAD(prediction, prediction_at + start + j);
        const real t = LOAD(target, target_at + start + j);
        const real w = class_weight(weight, weight_at, j) * mean, e = exp(-fabs(x));
        const real near = 1 / (1 + e), far = e / (1 + e);
        const real gradient = (1 - t) * (x > 0 ? near : far) - t * (x > 0 ? far : near);
        STORE(dprediction, dprediction_at + start + j, (w * gradient * small + poison) * scale);
    }
}
#endif
