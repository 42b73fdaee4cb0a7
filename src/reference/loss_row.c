/*
 * Losses of one row of classes (and l2, whose row is the whole tensor), with p the prediction, t the target,
 * o the other. Unless another source is named, a formula is that of the documentation of PyTorch 2, and its
 * derivatives are taken by hand.
 */
#include "loss_formula.h"

/*
 * The root mean square error, the distance of p and t over sqrt(n) (DLMF 3.11(v) minimises it). Squares of
 * float32 values neither overflow nor underflow in double. At distance 0 the gradient is taken as 0; at an
 * infinite distance there is none.
 */
double clgrad_ref_loss_l2(const loss_row *r)
{
    const double n = (double)r->classes;
    double sum = 0;
    for (size_t i = 0; i < r->classes; i++)
        sum += (r->p[i] - r->t[i]) * (r->p[i] - r->t[i]);
    const double value = sqrt(sum / n);
    for (size_t i = 0; i < r->classes; i++)
        loss_put(r->dp, i, value == 0 ? 0 : isinf(value) ? NAN : (r->p[i] - r->t[i]) / (n * value));
    return value;
}

/* Goodfellow, Bengio, Courville, Deep Learning, 2016, section 3.13: -sum t log p. */
double clgrad_ref_loss_cross_entropy_probability(const loss_row *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->classes; i++) {
        sum -= loss_weighted(r->t[i], log(r->p[i]));
        loss_put(r->dp, i, r->t[i] == 0 ? 0 : -r->t[i] / r->p[i]);
    }
    return sum;
}

/*
 * Milletari, Navab, Ahmadi, "V-Net", 2016, with the sums themselves in the denominator as in Sudre et al.,
 * "Generalised Dice overlap", 2017: 1 - (2 sum p t + smooth) / (sum p + sum t + smooth). The difference is
 * taken before the division, where smooth cancels and for probabilities all terms are positive:
 * sum (p (1 - t) + t (1 - p)) over the same denominator.
 */
double clgrad_ref_loss_dice(const loss_row *r)
{
    double apart = 0, overlap = r->loss->smooth, all = r->loss->smooth;
    for (size_t i = 0; i < r->classes; i++) {
        apart += r->p[i] * (1 - r->t[i]) + r->t[i] * (1 - r->p[i]);
        overlap += 2 * r->p[i] * r->t[i];
        all += r->p[i] + r->t[i];
    }
    for (size_t i = 0; i < r->classes; i++)
        loss_put(r->dp, i, (overlap / all - 2 * r->t[i]) / all);
    return apart / all;
}

/*
 * nn.CosineEmbeddingLoss, whose cosine has 1e-12 (of single precision, whatever the operands') added to
 * either squared length, so that rows of zeros have the cosine 0.
 */
double clgrad_ref_loss_cosine_embedding(const loss_row *r)
{
    double product = 0, p_square = 1e-12f, o_square = 1e-12f;
    for (size_t i = 0; i < r->classes; i++) {
        product += r->p[i] * r->o[i];
        p_square += r->p[i] * r->p[i];
        o_square += r->o[i] * r->o[i];
    }
    const double lengths = sqrt(p_square) * sqrt(o_square), cosine = product / lengths;
    const double above = cosine - (double)r->loss->margin, t = r->t[0];
    const double slope = t == 1 ? -1 : t == -1 ? loss_positive_slope(above) : 0;
    for (size_t i = 0; i < r->classes; i++) {
        loss_put(r->dp, i, loss_weighted(slope, r->o[i] / lengths - cosine * r->p[i] / p_square));
        loss_put(r->dother, i, loss_weighted(slope, r->p[i] / lengths - cosine * r->o[i] / o_square));
    }
    return t == 1 ? 1 - cosine : t == -1 ? loss_positive_part(above) : 0;
}

static void zero(double *gradient, size_t count)
{
    for (size_t i = 0; gradient != NULL && i < count; i++)
        gradient[i] = 0;
}

/* nn.MultiMarginLoss: w_y sum over j != y of max(0, margin - p_y + p_j)^p / classes, with p 1 or 2. */
double clgrad_ref_loss_multi_margin(const loss_row *r)
{
    const size_t y = (size_t)r->y[0];
    const double scale = (r->w != NULL ? r->w[y] : 1) / (double)r->classes;
    double sum = 0, own = 0;
    for (size_t j = 0; j < r->classes; j++) {
        const double lacking = j == y ? 0 : r->loss->margin - (r->p[y] - r->p[j]);
        const double part = loss_positive_part(lacking);
        const double slope = loss_positive_slope(lacking) * (r->loss->p == 1 ? 1 : 2 * part);
        sum += r->loss->p == 1 ? part : part * part;
        own -= slope;
        loss_put(r->dp, j, scale * slope);
    }
    loss_put(r->dp, y, scale * own);
    return scale * sum;
}

/* How many of the row's targets count: those before the first -1. */
static size_t target_count(const loss_row *r)
{
    size_t count = 0;
    while (count < r->classes && r->y[count] != -1)
        count++;
    return count;
}

static bool is_target(const loss_row *r, size_t count, size_t label)
{
    for (size_t k = 0; k < count; k++)
        if ((size_t)r->y[k] == label)
            return true;
    return false;
}

/* nn.MultiLabelMarginLoss: each target is to be 1 above each class that is none. */
double clgrad_ref_loss_multilabel_margin(const loss_row *r)
{
    const size_t count = target_count(r);
    const double classes = (double)r->classes;
    double sum = 0;
    zero(r->dp, r->classes);
    for (size_t j = 0; j < r->classes; j++) {
        if (is_target(r, count, j))
            continue;
        for (size_t k = 0; k < count; k++) {
            const size_t y = (size_t)r->y[k];
            const double lacking = 1 - (r->p[y] - r->p[j]);
            sum += loss_positive_part(lacking);
            if (r->dp != NULL) {
                r->dp[j] += loss_positive_slope(lacking) / classes;
                r->dp[y] -= loss_positive_slope(lacking) / classes;
            }
        }
    }
    return sum / classes;
}

/* nn.MultiLabelSoftMarginLoss: the mean over the classes of nn.BCEWithLogitsLoss, each class weighted. */
double clgrad_ref_loss_multilabel_soft_margin(const loss_row *r)
{
    const double classes = (double)r->classes;
    double sum = 0;
    for (size_t i = 0; i < r->classes; i++) {
        const double w = r->w != NULL ? r->w[i] : 1, p = r->p[i], t = r->t[i];
        sum += w * (loss_weighted(t, loss_softplus(-p)) + loss_weighted(1 - t, loss_softplus(p)));
        loss_put(r->dp, i, w * ((1 - t) * loss_sigmoid(p) - t * loss_sigmoid(-p)) / classes);
    }
    return sum / classes;
}
