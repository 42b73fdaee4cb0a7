/*
 * Losses of rows that ask for a margin between the scores of the right classes and the others. A score that
 * keeps it exactly counts as kept: its gradient is 0.
 */

/* margin - right + wrong, in quarters: a sum of three large numbers stays finite where it can. */
static real quarter_violation(real margin, real right, real wrong)
{
    return sum_of_three(margin * 0.25f, -right * 0.25f, wrong * 0.25f);
}

/* w_y / classes times the sum over the other classes j of max(0, margin - x_y + x_j)^p, p 1 or 2. */
#ifdef KERNEL_loss_multi_margin
ROW_KERNEL(loss_multi_margin, int)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = p.row * classes, at = prediction_at + start;
    const bool squares = a.s0 == 2;
    const real margin = a.s1;

    const int index = p.inside ? target[target_at + p.row] : 0;
    const bool valid = index >= 0 && (ulong)index < classes;
    if (p.inside && !valid && p.lane == 0)
        record_fault(fault, FAULT_CLASS, p.row, index, classes);
    const real right = p.inside && valid ? LOAD(prediction, at + index) : NAN;
    const real shrink = mean_scale(classes), w = valid ? class_weight(weight, weight_at, index) : NAN;
    const real factor = w / (shrink * (real)classes), small = term_scale * shrink;

    sum hinges = {0, 0}, slopes = {0, 0};
    real poison = poison_of(right);
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            const real x = LOAD(prediction, at + j), z = quarter_violation(margin, right, x);
            poison += poison_of(x);
            if (j != (size_t)index && z > 0) {
                sum_add(&hinges, squares ? z * (16 * small) * z : z * (4 * small));
                sum_add(&slopes, squares ? z * (8 * small) : small);
            }
        }
    poison = sum_row(shared, p, poison);
    const real loss = sum_row(shared, p, sum_result(hinges)) * factor + poison;
    const real slope = sum_row(shared, p, sum_result(slopes));
    /* Every lane has read the right class, which below only the one that looks after it may overwrite. */
    meet_lanes();

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real z = quarter_violation(margin, right, LOAD(prediction, at + j));
        const real own = !(z > 0) ? 0 : squares ? z * (8 * small) : small;
        const real gradient = j == (size_t)index ? -slope : own;
        STORE(dprediction, dprediction_at + start + j, (gradient * factor + poison) * scale);
    }
}
#endif

/*
 * The mean over the classes j that are no target of the sum over the targets y of max(0, 1 - x_y + x_j). The
 * row's targets stand before its first -1; one that stands there twice counts twice. The workspace of a row
 * holds a copy of its scores and how often each class is a target; with that each lane finds the sums and
 * gradients of its own classes.
 */
#ifdef KERNEL_loss_multilabel_margin
ROW_KERNEL(loss_multilabel_margin, int)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = p.row * classes;
    __global const int *list = target + (target_at + start);
    __global real *scores = workspace + (workspace_at + 2 * start), *times = scores + classes;

    ulong labels = 0;
    real poison = 0;
    if (p.inside) {
        for (; labels < classes && list[labels] != -1; labels++)
            if (list[labels] < 0 || (ulong)list[labels] >= classes) {
                if (p.lane == 0)
                    record_fault(fault, FAULT_CLASS, start + labels, list[labels], classes);
                poison = NAN;
                break;
            }
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            scores[j] = LOAD(prediction, prediction_at + start + j);
            times[j] = 0;
            poison += poison_of(scores[j]);
        }
        for (size_t k = 0; k < labels; k++)
            if ((ulong)list[k] % p.lanes == p.lane)
                times[list[k]] += 1;
    }
    poison = sum_row(shared, p, poison);
    meet_lanes();

    const real shrink = mean_scale(classes), mean = 1 / (shrink * (real)classes);
    const real small = term_scale * shrink;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    sum hinges = {0, 0};
    if (p.inside)
        for (size_t j = p.lane; j < classes; j += p.lanes) {
            ulong violations = 0;
            if (times[j] == 0)
                for (size_t k = 0; k < labels; k++) {
                    const real z = quarter_violation(1, scores[list[k]], scores[j]);
                    if (z > 0) {
                        violations++;
                        sum_add(&hinges, z * (4 * small));
                    }
                }
            else if (wants & WANT_GRADIENT)
                for (size_t i = 0; i < classes; i++)
                    violations += times[i] == 0 && quarter_violation(1, scores[j], scores[i]) > 0;
            const real slope = times[j] == 0 ? (real)violations : -times[j] * (real)violations;
            if (wants & WANT_GRADIENT)
                STORE(dprediction, dprediction_at + start + j, (slope * small * mean + poison) * scale);
        }
    const real loss = sum_row(shared, p, sum_result(hinges)) * mean + poison;
    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
}
#endif
