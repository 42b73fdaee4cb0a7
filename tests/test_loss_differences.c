/*
 * The gradients of the reference, by every operand that the list says, against finite differences of its
 * values: every loss at every setting of its parameters, with every reduction.
 */
#include "loss_case.h"

#include "reference/reference.h"

/* A drawn case in double precision. */
typedef struct point {
    const loss_case *c;
    clgrad_ref_loss_arrays arrays;
    double *prediction, *target, *other, *dvalue, *value;
    double *logits; /* of a ctc, whose prediction is their log_softmax; else the prediction */
} point;

/* nn.CTCLoss has the gradient by the logits. */
static void log_softmax(const point *p)
{
    const size_t classes = p->c->shape[2], rows = loss_case_count(p->c) / classes;
    for (size_t i = 0; i < rows; i++) {
        const double *from = p->logits + i * classes;
        double sum = 0;
        for (size_t k = 0; k < classes; k++)
            sum += exp(from[k]);
        for (size_t k = 0; k < classes; k++)
            p->prediction[i * classes + k] = from[k] - log(sum);
    }
}

/* Away from the ends of a domain: probabilities from 0, targets from whole numbers, variances from eps. */
static void keep_away(const point *p, size_t count)
{
    const loss_case *c = p->c;
    const bool probability = loss_case_info(c)->input == CLGRAD_LOSS_PROBABILITY;
    for (size_t i = 0; i < count; i++) {
        if (probability)
            p->prediction[i] = 0.05 + 0.9 * p->prediction[i];
        if (loss_case_gives_dtarget(c) && p->target[i] == floor(p->target[i]))
            p->target[i] += 0.3;
        if (c->loss.kind == CLGRAD_LOSS_POISSON_NLL && !c->loss.log_input)
            p->prediction[i] += 0.1;
        if (c->loss.kind == CLGRAD_LOSS_GAUSSIAN_NLL)
            p->other[i] = fabs(p->other[i]) + (double)c->loss.eps + 0.1;
    }
}

static double *wide_or_null(const float *numbers, size_t count)
{
    return numbers != NULL ? widen(numbers, count) : NULL;
}

static point make_point(const loss_case *c)
{
    const size_t count = loss_case_count(c), values = loss_case_values(c);
    const bool one_a_row = (loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
    point p = {.c = c,
               .prediction = widen(c->prediction, count),
               .target = wide_or_null(c->target, one_a_row ? loss_case_rows(c) : count),
               .other = wide_or_null(c->other, count),
               .dvalue = widen(c->dvalue, values),
               .value = allocate(values, sizeof(double))};
    p.logits = p.prediction;
    if (c->loss.kind == CLGRAD_LOSS_CTC)
        p.logits = widen(c->prediction, count);
    keep_away(&p, count);
    p.arrays = (clgrad_ref_loss_arrays){.rank = c->rank,
                                        .prediction = p.prediction,
                                        .target = p.target,
                                        .other = p.other,
                                        .classes = c->classes,
                                        .input_lengths = c->input_lengths,
                                        .target_lengths = c->target_lengths,
                                        .room = c->room,
                                        .dvalue = p.dvalue};
    memcpy(p.arrays.shape, c->shape, sizeof c->shape);
    p.arrays.scratch = allocate(clgrad_ref_loss_scratch(&c->loss, &p.arrays), sizeof(double));
    return p;
}

static void free_point(point p)
{
    if (p.logits != p.prediction)
        free(p.logits);
    free(p.prediction);
    free(p.target);
    free(p.other);
    free(p.dvalue);
    free(p.value);
    free(p.arrays.scratch);
}

/* The sum of value times dvalue, which the gradients are those of. */
static double weighted_value(const point *p)
{
    clgrad_ref_loss_arrays arrays = p->arrays;
    double sum = 0;
    if (p->logits != p->prediction)
        log_softmax(p);
    arrays.value = p->value;
    clgrad_ref_loss(&p->c->loss, &arrays);
    for (size_t i = 0; i < loss_case_values(p->c); i++)
        sum += p->value[i] * p->dvalue[i];
    return sum;
}

/* The derivative by one number, by the formula of five points. */
static double difference(const point *p, double *number)
{
    const double h = 1e-4, at = *number;
    double sum = 0;
    static const double weights[] = {1, -8, 0, 8, -1};
    for (int k = -2; k <= 2; k++) {
        *number = at + k * h;
        sum += weights[k + 2] == 0 ? 0 : weights[k + 2] * weighted_value(p);
    }
    *number = at;
    return sum / (12 * h);
}

static void check_gradient(const point *p, const char *name, double *numbers, const double *gradient)
{
    for (size_t i = 0; gradient != NULL && i < loss_case_count(p->c); i++) {
        const double wanted = difference(p, &numbers[i]);
        if (!is_close(gradient[i], wanted, 1e-9 + 1e-8 * fabs(wanted)))
            fail_msg("%s: %s[%zu] is %.12g, but differences give %.12g", p->c->label, name, i, gradient[i],
                     wanted);
    }
}

static double *gradient_or_null(bool wanted, size_t count)
{
    return wanted ? allocate(count, sizeof(double)) : NULL;
}

static void check_case(const loss_case *c, double *weight, double *pos_weight)
{
    point p = make_point(c);
    const size_t count = loss_case_count(c);
    double *dprediction = gradient_or_null(true, count);
    double *dtarget = gradient_or_null(loss_case_gives_dtarget(c), count);
    double *dother = gradient_or_null(loss_case_gives_dother(c), count);
    p.arrays.weight = weight;
    p.arrays.pos_weight = pos_weight;
    weighted_value(&p); /* makes a ctc's prediction */
    clgrad_ref_loss_arrays arrays = p.arrays;
    arrays.dprediction = dprediction;
    arrays.dtarget = dtarget;
    arrays.dother = dother;
    clgrad_ref_loss(&c->loss, &arrays);
    check_gradient(&p, "dprediction", p.logits, dprediction);
    check_gradient(&p, "dtarget", p.target, dtarget);
    check_gradient(&p, "dother", p.other, dother);
    free(dprediction);
    free(dtarget);
    free(dother);
    free_point(p);
}

/* With weights where with says so: of classes, or already broadcast to the elements. */
static void check_setting(clgrad_loss loss, unsigned with)
{
    static const shaped shapes[] = {[CLGRAD_LOSS_ELEMENT] = {2, {3, 5}},
                                    [CLGRAD_LOSS_ROW] = {2, {4, 5}},
                                    [CLGRAD_LOSS_WHOLE] = {2, {3, 4}},
                                    [CLGRAD_LOSS_CHANNEL] = {3, {3, 4, 2}},
                                    [CLGRAD_LOSS_SEQUENCE] = {3, {6, 3, 3}}};
    const shaped s = shapes[clgrad_loss_describe(loss.kind)->extent];
    loss_drawn *drawn = loss_draw(loss, s.rank, s.shape, with | LOSS_WITH_DVALUE);
    const loss_case *c = &drawn->c;
    const size_t count = loss_case_count(c);
    double *weight = allocate(count, sizeof *weight), *pos_weight = allocate(count, sizeof *pos_weight);
    const bool of_classes = (loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_CLASS_WEIGHT) != 0;
    for (size_t i = 0; i < count && c->weight.numbers != NULL; i++) {
        weight[i] = of_classes ? c->weight.numbers[i % c->shape[1]] : loss_weight_at(c, &c->weight, i);
        pos_weight[i] = loss_weight_at(c, &c->pos_weight, i);
    }
    const bool weighted = c->weight.numbers != NULL, positive = c->pos_weight.numbers != NULL;
    check_case(c, weighted ? weight : NULL, positive ? pos_weight : NULL);
    free(weight);
    free(pos_weight);
    loss_drawn_free(drawn);
}

static void gradients_match_differences(clgrad_context *context)
{
    (void)context;
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        clgrad_loss loss;
        for (size_t s = 0; loss_setting(kind, s, &loss); s++)
            for (int reduction = 0; reduction <= CLGRAD_REDUCTION_BATCHMEAN; reduction++)
                for (unsigned with = 0; with <= (LOSS_WITH_CLASSES | LOSS_WITH_WEIGHT); with++) {
                    loss.reduction = (clgrad_reduction)reduction;
                    if ((with & loss_ways(kind)) == with && loss_reduces_by(kind, loss.reduction))
                        check_setting(loss, with);
                }
    }
}

int main(void)
{
    const test_case cases[] = {CASE(gradients_match_differences)};
    return run_on_every_device(cases, COUNT(cases));
}
