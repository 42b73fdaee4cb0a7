/**
 * @file loss_list.h
 * The list of losses: every entry's name, parameters, shapes, bound and formulas. What the calls do with it
 * stands in loss.h, which includes this.
 */
#ifndef CLGRAD_LOSS_LIST_H
#define CLGRAD_LOSS_LIST_H

#include <float.h>

/** What one number of the unreduced loss covers, and what shape the prediction has. */
typedef enum clgrad_loss_extent {
    /** One element of any shape: `none` has the prediction's shape, `mean` divides by the number of elements.
     */
    CLGRAD_LOSS_ELEMENT = 0,
    /** One row of [batch, classes]: `none` has shape [batch], `mean` divides by the batch. */
    CLGRAD_LOSS_ROW = 1,
    /** The whole tensor: one number whatever the reduction. */
    CLGRAD_LOSS_WHOLE = 2,
    /** One column of [batch, classes, d1, ...], the classes lying d1 ... apart: `none` has shape
     * [batch, d1, ...]; without further dimensions the same as ROW. What `mean` divides by stands in loss.h.
     */
    CLGRAD_LOSS_CHANNEL = 3,
    /** One sequence of [time, batch, classes]: `none` has shape [batch]. */
    CLGRAD_LOSS_SEQUENCE = 4
} clgrad_loss_extent;

/** What a loss takes and gives besides the prediction, its float32 target and its gradient with respect to
 * the prediction; a row's flags are a sum of these. */
enum {
    /** The target may be int32 class indices, of the shape of `none`'s value. */
    CLGRAD_LOSS_TAKES_CLASSES = 1,
    /** The target is int32 and nothing else: class indices as above, or what the loss says. */
    CLGRAD_LOSS_TAKES_INTEGERS = 2,
    /** A third operand `other`, float32 of the prediction's shape, which must be there. */
    CLGRAD_LOSS_TAKES_OTHER = 4,
    /** An optional weight, float32, broadcast to the prediction's shape (aligned at the last dimension; one
     * that is 1 or missing repeats). */
    CLGRAD_LOSS_TAKES_WEIGHT = 8,
    /** An optional weight of each class, float32 [classes]. */
    CLGRAD_LOSS_TAKES_CLASS_WEIGHT = 16,
    /** An optional weight of the positive term, broadcast likewise. */
    CLGRAD_LOSS_TAKES_POS_WEIGHT = 32,
    /** int32 [batch] input_lengths and target_lengths, which must be there. */
    CLGRAD_LOSS_TAKES_LENGTHS = 64,
    /** The float32 target has the shape of `none`'s value: one number a row. */
    CLGRAD_LOSS_TAKES_ROW_TARGET = 128,
    /** It can be differentiated with respect to a float32 target. */
    CLGRAD_LOSS_GIVES_DTARGET = 256,
    /** It can be differentiated with respect to other. */
    CLGRAD_LOSS_GIVES_DOTHER = 512
};

/** How far apart two rows a and b of a triplet are. */
typedef enum clgrad_distance {
    CLGRAD_DISTANCE_PAIRWISE = 0, /**< PyTorch's nn.PairwiseDistance: the 2-norm of a - b + 1e-6 */
    CLGRAD_DISTANCE_SQUARED = 1,  /**< the sum of (a - b)^2 */
    CLGRAD_DISTANCE_COSINE = 2    /**< 1 - a b / (max(|a|, 1e-8) max(|b|, 1e-8)) */
} clgrad_distance;

/** P(type, field, default, minimum, maximum), one line for each parameter of a row. */
#define CLGRAD_LOSS_NO_PARAMETERS(P)
#define CLGRAD_LOSS_KL_DIV_PARAMETERS(P) P(FLAG, log_target, 0.0f, 0.0f, 1.0f)
#define CLGRAD_LOSS_ALPHA_PARAMETERS(P) P(NUMBER, alpha, 0.5f, 0.0f, 1.0f)
#define CLGRAD_LOSS_NLL_PARAMETERS(P) P(INTEGER, ignore_index, -100.0f, -0x1p24f, 0x1p24f)
#define CLGRAD_LOSS_CROSS_ENTROPY_PARAMETERS(P)          \
    P(INTEGER, ignore_index, -100.0f, -0x1p24f, 0x1p24f) \
    P(NUMBER, label_smoothing, 0.0f, 0.0f, 1.0f)
#define CLGRAD_LOSS_HUBER_PARAMETERS(P) P(NUMBER, delta, 1.0f, FLT_MIN, FLT_MAX)
#define CLGRAD_LOSS_SMOOTH_L1_PARAMETERS(P) P(NUMBER, beta, 1.0f, 0.0f, FLT_MAX)
#define CLGRAD_LOSS_POISSON_NLL_PARAMETERS(P) \
    P(FLAG, log_input, 1.0f, 0.0f, 1.0f)      \
    P(FLAG, full, 0.0f, 0.0f, 1.0f)           \
    P(NUMBER, eps, 1e-8f, FLT_MIN, FLT_MAX)
#define CLGRAD_LOSS_GAUSSIAN_NLL_PARAMETERS(P) \
    P(FLAG, full, 0.0f, 0.0f, 1.0f)            \
    P(NUMBER, eps, 1e-6f, FLT_MIN, FLT_MAX)
#define CLGRAD_LOSS_HINGE_EMBEDDING_PARAMETERS(P) P(NUMBER, margin, 1.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_LOSS_MARGIN_RANKING_PARAMETERS(P) P(NUMBER, margin, 0.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_LOSS_SIGMOID_FOCAL_PARAMETERS(P) \
    P(NUMBER, alpha, 0.25f, -1.0f, 1.0f)        \
    P(NUMBER, gamma, 2.0f, 0.0f, FLT_MAX)
#define CLGRAD_LOSS_FOCAL_PARAMETERS(P)                  \
    P(INTEGER, ignore_index, -100.0f, -0x1p24f, 0x1p24f) \
    P(NUMBER, gamma, 2.0f, 0.0f, FLT_MAX)
#define CLGRAD_LOSS_DICE_PARAMETERS(P) P(NUMBER, smooth, 1.0f, 0.0f, FLT_MAX)
#define CLGRAD_LOSS_COSINE_EMBEDDING_PARAMETERS(P) P(NUMBER, margin, 0.0f, -1.0f, 1.0f)
#define CLGRAD_LOSS_MULTI_MARGIN_PARAMETERS(P) \
    P(INTEGER, p, 1.0f, 1.0f, 2.0f)            \
    P(NUMBER, margin, 1.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_LOSS_TRIPLET_MARGIN_PARAMETERS(P) \
    P(NUMBER, margin, 1.0f, FLT_MIN, FLT_MAX)    \
    P(INTEGER, p, 2.0f, 1.0f, 16.0f)             \
    P(NUMBER, eps, 1e-6f, 0.0f, FLT_MAX)         \
    P(FLAG, swap, 0.0f, 0.0f, 1.0f)
#define CLGRAD_LOSS_TRIPLET_DISTANCE_PARAMETERS(P) \
    P(NUMBER, margin, 1.0f, FLT_MIN, FLT_MAX)      \
    P(INTEGER, distance, 0.0f, 0.0f, 2.0f)         \
    P(FLAG, swap, 0.0f, 0.0f, 1.0f)
#define CLGRAD_LOSS_CTC_PARAMETERS(P)      \
    P(INTEGER, blank, 0.0f, 0.0f, 0x1p24f) \
    P(FLAG, zero_infinity, 0.0f, 0.0f, 1.0f)

/**
 * The list of losses, with p the prediction, t the target, o the other, w the weight.
 *
 * X(value, identifier, name, PARAMETERS, extent, flags, input, bound, formula, gradient, source)
 *
 * - flags: CLGRAD_LOSS_TAKES_... and CLGRAD_LOSS_GIVES_..., joined by |.
 * - input: what the prediction is: NUMBER, LOGIT, PROBABILITY, LOG_PROBABILITY (clgrad_loss_input).
 * - formula, gradient: of the unreduced loss; for a row, sums run over the row's classes.
 * - bound: see "Accuracy" in loss.h.
 *
 * Values never change; new rows are appended.
 */
#define CLGRAD_LOSS_LIST(X)                                                                                  \
    X(0, MSE, mse, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, CLGRAD_LOSS_GIVES_DTARGET, NUMBER, 32.0f,             \
      "(p - t)^2", "2 (p - t)", "PyTorch nn.MSELoss")                                                        \
    X(1, L2, l2, CLGRAD_LOSS_NO_PARAMETERS, WHOLE, 0, NUMBER, 32.0f, "sqrt(sum (p - t)^2 / n)",              \
      "(p - t) / (n loss); 0 where the loss is 0", "root mean square error; DLMF 3.11(v)")                   \
    X(2, L1, l1, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, CLGRAD_LOSS_GIVES_DTARGET, NUMBER, 32.0f, "|p - t|",    \
      "sign(p - t), 0 where p = t", "PyTorch nn.L1Loss")                                                     \
    X(3, KL_DIV, kl_div, CLGRAD_LOSS_KL_DIV_PARAMETERS, ELEMENT, CLGRAD_LOSS_GIVES_DTARGET, LOG_PROBABILITY, \
      32.0f, "t (log t - p), 0 where t = 0; log_target: exp(t) (t - p)", "-t; log_target: -exp(t)",          \
      "PyTorch nn.KLDivLoss; Kullback and Leibler 1951")                                                     \
    X(4, KL_DIV_PROBABILITY, kl_div_probability, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, 0, PROBABILITY, 32.0f,  \
      "t (log t - log p); 0 where t = 0", "-t / p; 0 where t = 0", "Kullback and Leibler 1951")              \
    X(5, CROSS_ENTROPY_PROBABILITY, cross_entropy_probability, CLGRAD_LOSS_NO_PARAMETERS, ROW, 0,            \
      PROBABILITY, 32.0f, "-sum t log p, terms with t = 0 left out", "-t / p; 0 where t = 0",                \
      "Goodfellow, Bengio, Courville, Deep Learning, 2016, section 3.13")                                    \
    X(6, BCE, bce, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_GIVES_DTARGET, \
      PROBABILITY, 32.0f,                                                                                    \
      "-w (t log p + (1 - t) log(1 - p)), logarithms at least -100; NaN where p is outside 0 to 1: for "     \
      "scores take bce_with_logits",                                                                         \
      "w (p - t) / max(p (1 - p), 1e-12)", "PyTorch nn.BCELoss")                                             \
    X(7, BCE_BALANCED, bce_balanced, CLGRAD_LOSS_ALPHA_PARAMETERS, ELEMENT, 0, PROBABILITY, 32.0f,           \
      "-(alpha t log p + (1 - alpha) (1 - t) log(1 - p)), logarithms at least -100; NaN where p is outside " \
      "0 to 1",                                                                                              \
      "((1 - alpha) (1 - t) p - alpha t (1 - p)) / max(p (1 - p), 1e-12)",                                   \
      "Xie and Tu, Holistically-Nested Edge Detection, 2015, equation 2")                                    \
    X(8, CROSS_ENTROPY, cross_entropy, CLGRAD_LOSS_CROSS_ENTROPY_PARAMETERS, CHANNEL,                        \
      CLGRAD_LOSS_TAKES_CLASSES | CLGRAD_LOSS_TAKES_CLASS_WEIGHT | CLGRAD_LOSS_GIVES_DTARGET, LOGIT, 64.0f,  \
      "sum w s (log(sum exp p) - p), s = (1 - label_smoothing) t + label_smoothing / classes; for a class "  \
      "index y, t is one-hot and its own term has w_y, the loss is 0 where y = ignore_index",                \
      "softmax(p) sum w s - w s", "PyTorch nn.CrossEntropyLoss; Blanchard, Higham, Higham 2021")             \
    X(9, HUBER, huber, CLGRAD_LOSS_HUBER_PARAMETERS, ELEMENT, CLGRAD_LOSS_GIVES_DTARGET, NUMBER, 32.0f,      \
      "(p - t)^2 / 2 where |p - t| <= delta, else delta (|p - t| - delta / 2)",                              \
      "p - t, at most delta in size", "PyTorch nn.HuberLoss; Huber 1964")                                    \
    X(10, SMOOTH_L1, smooth_l1, CLGRAD_LOSS_SMOOTH_L1_PARAMETERS, ELEMENT, CLGRAD_LOSS_GIVES_DTARGET,        \
      NUMBER, 32.0f, "(p - t)^2 / (2 beta) where |p - t| < beta, else |p - t| - beta / 2",                   \
      "(p - t) / beta where |p - t| < beta, else sign(p - t)", "PyTorch nn.SmoothL1Loss; Girshick 2015")     \
    X(11, BCE_WITH_LOGITS, bce_with_logits, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT,                              \
      CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_TAKES_POS_WEIGHT | CLGRAD_LOSS_GIVES_DTARGET, LOGIT, 32.0f,     \
      "w (pos_weight t log(1 + exp(-p)) + (1 - t) (p + log(1 + exp(-p))))",                                  \
      "w ((1 - t) s(p) - pos_weight t s(-p)), s(x) = 1 / (1 + exp(-x))", "PyTorch nn.BCEWithLogitsLoss")     \
    X(12, POISSON_NLL, poisson_nll, CLGRAD_LOSS_POISSON_NLL_PARAMETERS, ELEMENT, CLGRAD_LOSS_GIVES_DTARGET,  \
      NUMBER, 32.0f,                                                                                         \
      "log_input: exp(p) - t p, else p - t log(p + eps); full: + t log t - t + log(2 pi t) / 2 where t > 1", \
      "log_input: exp(p) - t, else 1 - t / (p + eps)", "PyTorch nn.PoissonNLLLoss")                          \
    X(13, GAUSSIAN_NLL, gaussian_nll, CLGRAD_LOSS_GAUSSIAN_NLL_PARAMETERS, ELEMENT,                          \
      CLGRAD_LOSS_TAKES_OTHER | CLGRAD_LOSS_GIVES_DTARGET | CLGRAD_LOSS_GIVES_DOTHER, NUMBER, 32.0f,         \
      "(log v + (p - t)^2 / v) / 2, v = max(o, eps), o the variance; full: + log(2 pi) / 2",                 \
      "(p - t) / v; by o (1 - (p - t)^2 / v) / (2 v), also where eps takes its place",                       \
      "PyTorch nn.GaussianNLLLoss; Nix and Weigend 1994")                                                    \
    X(14, HINGE_EMBEDDING, hinge_embedding, CLGRAD_LOSS_HINGE_EMBEDDING_PARAMETERS, ELEMENT, 0, NUMBER,      \
      32.0f, "p where t = 1, max(0, margin - p) where t = -1, the sum of both parts elsewhere",              \
      "1 where t = 1; -1 where t = -1 and p < margin", "PyTorch nn.HingeEmbeddingLoss")                      \
    X(15, SOFT_MARGIN, soft_margin, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, 0, LOGIT, 32.0f,                     \
      "log(1 + exp(-t p))", "-t / (1 + exp(t p))", "PyTorch nn.SoftMarginLoss")                              \
    X(16, MARGIN_RANKING, margin_ranking, CLGRAD_LOSS_MARGIN_RANKING_PARAMETERS, ELEMENT,                    \
      CLGRAD_LOSS_TAKES_OTHER | CLGRAD_LOSS_GIVES_DOTHER, NUMBER, 32.0f, "max(0, -t (p - o) + margin)",      \
      "-t where the loss is above 0, else 0; by o the opposite", "PyTorch nn.MarginRankingLoss")             \
    X(17, NLL, nll, CLGRAD_LOSS_NLL_PARAMETERS, CHANNEL,                                                     \
      CLGRAD_LOSS_TAKES_INTEGERS | CLGRAD_LOSS_TAKES_CLASS_WEIGHT, LOG_PROBABILITY, 32.0f,                   \
      "-w_y p_y; 0 where y = ignore_index", "-w_y at y, else 0", "PyTorch nn.NLLLoss")                       \
    X(18, FOCAL, focal, CLGRAD_LOSS_FOCAL_PARAMETERS, CHANNEL,                                               \
      CLGRAD_LOSS_TAKES_INTEGERS | CLGRAD_LOSS_TAKES_CLASS_WEIGHT, LOGIT, 128.0f,                            \
      "-w_y (1 - q)^gamma log q, q = softmax(p)_y; 0 where y = ignore_index",                                \
      "w_y (1 - q)^gamma (1 - gamma q log(q) / (1 - q)) (softmax(p) - [y])",                                 \
      "Lin et al. 2017; cross_entropy where gamma = 0, and mean as there")                                   \
    X(19, SIGMOID_FOCAL, sigmoid_focal, CLGRAD_LOSS_SIGMOID_FOCAL_PARAMETERS, ELEMENT, 0, LOGIT, 64.0f,      \
      "a (1 - q)^gamma c, c = t log(1 + exp(-p)) + (1 - t) (p + log(1 + exp(-p))), q = s t + (1 - s) (1 - "  \
      "t), s = 1 / (1 + exp(-p)), a = alpha t + (1 - alpha) (1 - t), or 1 where alpha < 0",                  \
      "the derivative of that by p", "Lin et al. 2017")                                                      \
    X(20, DICE, dice, CLGRAD_LOSS_DICE_PARAMETERS, ROW, 0, PROBABILITY, 64.0f,                               \
      "1 - (2 sum p t + smooth) / (sum p + sum t + smooth)",                                                 \
      "((2 sum p t + smooth) / d - 2 t) / d, d = sum p + sum t + smooth",                                    \
      "Milletari, Navab, Ahmadi, V-Net, 2016; Sudre et al. 2017")                                            \
    X(21, COSINE_EMBEDDING, cosine_embedding, CLGRAD_LOSS_COSINE_EMBEDDING_PARAMETERS, ROW,                  \
      CLGRAD_LOSS_TAKES_OTHER | CLGRAD_LOSS_TAKES_ROW_TARGET | CLGRAD_LOSS_GIVES_DOTHER, NUMBER, 64.0f,      \
      "1 - c where t = 1, max(0, c - margin) where t = -1, else 0; c = sum p o / sqrt((sum p^2 + e) (sum "   \
      "o^2 + e)), e = 1e-12",                                                                                \
      "-t times the derivative of c where the loss is not clamped", "PyTorch nn.CosineEmbeddingLoss")        \
    X(22, MULTI_MARGIN, multi_margin, CLGRAD_LOSS_MULTI_MARGIN_PARAMETERS, ROW,                              \
      CLGRAD_LOSS_TAKES_INTEGERS | CLGRAD_LOSS_TAKES_CLASS_WEIGHT, NUMBER, 32.0f,                            \
      "w_y sum over j != y of max(0, margin - p_y + p_j)^p / classes",                                       \
      "the derivative of that; 0 where the maximum is 0", "PyTorch nn.MultiMarginLoss")                      \
    X(23, MULTILABEL_MARGIN, multilabel_margin, CLGRAD_LOSS_NO_PARAMETERS, ROW, CLGRAD_LOSS_TAKES_INTEGERS,  \
      NUMBER, 32.0f,                                                                                         \
      "sum over targets y and other classes j of max(0, 1 - (p_y - p_j)) / classes; the row's targets are "  \
      "its class indices before the first -1",                                                               \
      "the derivative of that; 0 where the maximum is 0", "PyTorch nn.MultiLabelMarginLoss")                 \
    X(24, MULTILABEL_SOFT_MARGIN, multilabel_soft_margin, CLGRAD_LOSS_NO_PARAMETERS, ROW,                    \
      CLGRAD_LOSS_TAKES_CLASS_WEIGHT, LOGIT, 32.0f,                                                          \
      "sum w (t log(1 + exp(-p)) + (1 - t) (p + log(1 + exp(-p)))) / classes",                               \
      "w ((1 - t) s(p) - t s(-p)) / classes, s(x) = 1 / (1 + exp(-x))",                                      \
      "PyTorch nn.MultiLabelSoftMarginLoss")                                                                 \
    X(25, TRIPLET_MARGIN, triplet_margin, CLGRAD_LOSS_TRIPLET_MARGIN_PARAMETERS, ROW,                        \
      CLGRAD_LOSS_TAKES_OTHER | CLGRAD_LOSS_GIVES_DTARGET | CLGRAD_LOSS_GIVES_DOTHER, NUMBER, 128.0f,        \
      "max(0, d(p, t) - d(p, o) + margin), d(a, b) = (sum |a - b + eps|^p)^(1 / p); swap: min(d(p, o), "     \
      "d(t, o)) in d(p, o)'s place",                                                                         \
      "the derivative of that by each", "PyTorch nn.TripletMarginLoss; Balntas et al. 2016")                 \
    X(26, TRIPLET_MARGIN_WITH_DISTANCE, triplet_margin_with_distance,                                        \
      CLGRAD_LOSS_TRIPLET_DISTANCE_PARAMETERS, ROW,                                                          \
      CLGRAD_LOSS_TAKES_OTHER | CLGRAD_LOSS_GIVES_DTARGET | CLGRAD_LOSS_GIVES_DOTHER, NUMBER, 64.0f,         \
      "max(0, d(p, t) - d(p, o) + margin), swap as triplet_margin; d(a, b) is for distance = 0 the 2-norm "  \
      "of a - b + 1e-6, for 1 sum (a - b)^2, for 2 one minus the cosine of a and b (clgrad_distance)",       \
      "the derivative of that by each", "PyTorch nn.TripletMarginWithDistanceLoss")                          \
    X(27, CTC, ctc, CLGRAD_LOSS_CTC_PARAMETERS, SEQUENCE,                                                    \
      CLGRAD_LOSS_TAKES_INTEGERS | CLGRAD_LOSS_TAKES_LENGTHS, LOG_PROBABILITY, 64.0f,                        \
      "-log of the sum, over all alignments of the target, of the product of probabilities",                 \
      "exp(p) - the posterior probability of the class at that time, as PyTorch has it: right for a p that " \
      "log_softmax made",                                                                                    \
      "PyTorch nn.CTCLoss; Graves et al. 2006")

#endif
