/*
 * The triplet losses: the anchor p is to be nearer to the positive t than to the negative o, by a margin.
 * nn.TripletMarginLoss and nn.TripletMarginWithDistanceLoss of PyTorch 2; Balntas et al., "Learning local
 * feature descriptors with triplets and shallow convolutional neural networks", 2016, which also has the
 * swap.
 */
#include "loss_formula.h"

/* How far rows a and b are apart; adds share times the derivatives to da and db, where they are wanted. */
typedef double distance_function(const clgrad_loss *loss, size_t count, const double *a, const double *b,
                                 double share, double *da, double *db);

static void add_to(double *gradient, size_t at, double derivative)
{
    if (gradient != NULL)
        gradient[at] += derivative;
}

/*
 * nn.PairwiseDistance: (sum |a - b + eps|^p)^(1 / p), with the largest term taken out so that no power
 * overflows. Its derivative is sign (|a - b + eps| / distance)^(p - 1), and 0 at distance 0.
 */
static double norm(double power, double eps, size_t count, const double *a, const double *b, double share,
                   double *da, double *db)
{
    double largest = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double size = fabs(a[i] - b[i] + eps);
        largest = size > largest || isnan(size) ? size : largest;
    }
    for (size_t i = 0; i < count && largest > 0; i++)
        sum += pow(fabs(a[i] - b[i] + eps) / largest, power);
    const double distance = isinf(largest) || isnan(largest) ? largest : largest * pow(sum, 1 / power);
    for (size_t i = 0; i < count; i++) {
        const double difference = a[i] - b[i] + eps;
        const double slope =
            distance == 0 ? 0 : loss_sign(difference) * pow(fabs(difference) / distance, power - 1);
        add_to(da, i, share * slope);
        add_to(db, i, -share * slope);
    }
    return distance;
}

static double p_norm(const clgrad_loss *loss, size_t count, const double *a, const double *b, double share,
                     double *da, double *db)
{
    return norm(loss->p, loss->eps, count, a, b, share, da, db);
}

static double pairwise(const clgrad_loss *loss, size_t count, const double *a, const double *b, double share,
                       double *da, double *db)
{
    (void)loss;
    return norm(2, 1e-6, count, a, b, share, da, db);
}

static double squared(const clgrad_loss *loss, size_t count, const double *a, const double *b, double share,
                      double *da, double *db)
{
    (void)loss;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double difference = a[i] - b[i];
        sum += difference * difference;
        add_to(da, i, share * 2 * difference);
        add_to(db, i, -share * 2 * difference);
    }
    return sum;
}

/*
 * One minus nn.functional.cosine_similarity, whose lengths count as at least 1e-8. PyTorch takes the maximum
 * outside of its graph: a length has the derivative a / |a| also where 1e-8 stands in its place.
 */
static double cosine(const clgrad_loss *loss, size_t count, const double *a, const double *b, double share,
                     double *da, double *db)
{
    (void)loss;
    double product = 0, a_square = 0, b_square = 0;
    for (size_t i = 0; i < count; i++) {
        product += a[i] * b[i];
        a_square += a[i] * a[i];
        b_square += b[i] * b[i];
    }
    const double least = 1e-8, a_length = sqrt(a_square), b_length = sqrt(b_square);
    const double a_least = fmax(a_length, least), b_least = fmax(b_length, least);
    const double lengths = a_least * b_least, similarity = product / lengths;
    for (size_t i = 0; i < count; i++) {
        const double along_a = a_length > 0 ? similarity / a_least * (a[i] / a_length) : 0;
        const double along_b = b_length > 0 ? similarity / b_least * (b[i] / b_length) : 0;
        add_to(da, i, -share * (b[i] / lengths - along_a));
        add_to(db, i, -share * (a[i] / lengths - along_b));
    }
    return 1 - similarity;
}

/* max(0, d(p, t) - d(p, o) + margin); with swap the smaller of d(p, o) and d(t, o), half of each if equal. */
static double triplet(const loss_row *r, distance_function *distance)
{
    const clgrad_loss *loss = r->loss;
    const size_t n = r->classes;
    const double positive = distance(loss, n, r->p, r->t, 0, NULL, NULL);
    const double negative = distance(loss, n, r->p, r->o, 0, NULL, NULL);
    const double swapped = loss->swap ? distance(loss, n, r->t, r->o, 0, NULL, NULL) : INFINITY;
    const double from_p = negative < swapped                  ? 1
                          : negative == swapped && loss->swap ? 0.5
                          : loss->swap                        ? 0
                                                              : 1;
    const double nearest = negative <= swapped || isnan(negative) ? negative : swapped;
    const double lacking = positive - nearest + loss->margin, slope = loss_positive_slope(lacking);

    for (size_t i = 0; i < n; i++) {
        loss_put(r->dp, i, 0);
        loss_put(r->dt, i, 0);
        loss_put(r->dother, i, 0);
    }
    if (slope != 0) {
        distance(loss, n, r->p, r->t, slope, r->dp, r->dt);
        if (from_p > 0)
            distance(loss, n, r->p, r->o, -slope * from_p, r->dp, r->dother);
        if (from_p < 1)
            distance(loss, n, r->t, r->o, -slope * (1 - from_p), r->dt, r->dother);
    }
    return loss_positive_part(lacking);
}

double clgrad_ref_loss_triplet_margin(const loss_row *r)
{
    return triplet(r, p_norm);
}

double clgrad_ref_loss_triplet_margin_with_distance(const loss_row *r)
{
    static distance_function *const distances[] = {[CLGRAD_DISTANCE_PAIRWISE] = pairwise,
                                                   [CLGRAD_DISTANCE_SQUARED] = squared,
                                                   [CLGRAD_DISTANCE_COSINE] = cosine};
    return triplet(r, distances[r->loss->distance]);
}
