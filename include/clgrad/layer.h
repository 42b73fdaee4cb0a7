/**
 * @file layer.h
 * What a network is made of: dense layers, and what stands between them.
 */
#ifndef CLGRAD_LAYER_H
#define CLGRAD_LAYER_H

#include <clgrad/activation.h>
#include <clgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

/** P(type, field, default, minimum, maximum), one line for each parameter of a row. */
#define CLGRAD_LAYER_NO_PARAMETERS(P)
#define CLGRAD_LAYER_DENSE_PARAMETERS(P) P(FLAG, bias, 1.0f, 0.0f, 1.0f)
#define CLGRAD_LAYER_PRELU_PARAMETERS(P)   \
    P(FLAG, per_channel, 0.0f, 0.0f, 1.0f) \
    P(NUMBER, init, 0.25f, -FLT_MAX, FLT_MAX)
#define CLGRAD_LAYER_RRELU_PARAMETERS(P)        \
    P(NUMBER, lower, 0.125f, -FLT_MAX, FLT_MAX) \
    P(NUMBER, upper, 1.0f / 3.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_LAYER_DROPOUT_PARAMETERS(P) P(NUMBER, p, 0.5f, 0.0f, 1.0f)
#define CLGRAD_LAYER_LAYER_NORM_PARAMETERS(P) \
    P(NUMBER, eps, 1e-5f, 0.0f, FLT_MAX)      \
    P(FLAG, affine, 1.0f, 0.0f, 1.0f)         \
    P(FLAG, bias, 1.0f, 0.0f, 1.0f)
#define CLGRAD_LAYER_BATCH_NORM_PARAMETERS(P) \
    P(NUMBER, eps, 1e-5f, 0.0f, FLT_MAX)      \
    P(NUMBER, momentum, 0.1f, 0.0f, 1.0f)     \
    P(FLAG, affine, 1.0f, 0.0f, 1.0f)         \
    P(FLAG, track_running_stats, 1.0f, 0.0f, 1.0f)

/**
 * The list of layers.
 *
 * X(value, identifier, name, PARAMETERS, constraint, constraint_text, description, formula, gradient,
 * accuracy, source)
 *
 * - constraint: what must hold between parameters, an expression over `layer`, a pointer to the descriptor;
 *   constraint_text says it in words.
 *
 * All but dense and glu have as many outputs as inputs. Values never change; new rows are appended.
 */
#define CLGRAD_LAYER_LIST(X)                                                                                 \
    X(0, DENSE, dense, CLGRAD_LAYER_DENSE_PARAMETERS, true, "",                                              \
      "a matrix, a bias and an activation; outputs and activation are fields of their own",                  \
      "f(x weight^T + bias)",                                                                                \
      "dz = dy f'(z); dweight = dz^T x, dbias = sum of dz over the batch, dx = dz weight",                   \
      "(k + 4) 2^-24 times the sum of the absolute values of a product's k terms, then the activation's",    \
      "PyTorch nn.Linear; dense.h")                                                                          \
    X(1, ACTIVATION, activation, CLGRAD_LAYER_NO_PARAMETERS, true, "",                                       \
      "an elementwise activation alone, after a normalisation, say", "f(x)", "dy f'(x)", "the activation's", \
      "activation.h")                                                                                        \
    X(2, PRELU, prelu, CLGRAD_LAYER_PRELU_PARAMETERS, true, "",                                              \
      "a leaky ReLU that learns its slope, or one for each feature (per_channel)",                           \
      "x if x > 0, else weight x", "dx = dy if x > 0, else weight dy; dweight = sum of x dy where x <= 0",   \
      "one rounding; dweight 32 2^-24 of its terms' absolute values",                                        \
      "PyTorch nn.PReLU; He, Zhang, Ren, Sun 2015; gated.h")                                                 \
    X(3, RRELU, rrelu, CLGRAD_LAYER_RRELU_PARAMETERS, layer->lower <= layer->upper,                          \
      "lower must not be above upper", "a leaky ReLU of random slopes in training",                          \
      "x if x > 0, else a x; a uniform in [lower, upper) in training, (lower + upper) / 2 in evaluation",    \
      "dy if x > 0, else a dy", "the slope 2 2^-24 of the larger bound, one rounding",                       \
      "PyTorch nn.RReLU; Xu et al. 2015; noise.h")                                                           \
    X(4, GLU, glu, CLGRAD_LAYER_NO_PARAMETERS, true, "",                                                     \
      "half of the inputs, gated by the other half: half as many outputs",                                   \
      "a / (1 + exp(-b)), a the first and b the second half of x",                                           \
      "da = dy s, db = dy a s (1 - s), s = 1 / (1 + exp(-b))", "5 ulp, backward 10",                         \
      "PyTorch nn.GLU; Dauphin, Fan, Auli, Grangier 2017; gated.h")                                          \
    X(5, SOFTMAX, softmax, CLGRAD_LAYER_NO_PARAMETERS, true, "", "probabilities", "exp(x) / sum exp(x)",     \
      "y (dy - sum dy y)", "128 2^-24, relatively; backward of the terms' absolute values",                  \
      "PyTorch nn.Softmax; softmax.h")                                                                       \
    X(6, SOFTMIN, softmin, CLGRAD_LAYER_NO_PARAMETERS, true, "", "probabilities of the negative",            \
      "exp(-x) / sum exp(-x)", "-y (dy - sum dy y)", "as softmax", "PyTorch nn.Softmin; softmax.h")          \
    X(7, LOG_SOFTMAX, log_softmax, CLGRAD_LAYER_NO_PARAMETERS, true, "", "log-probabilities",                \
      "x - log(sum exp(x))", "dy - exp(y) sum dy",                                                           \
      "128 2^-24 of the larger of the result and the distance to the largest x",                             \
      "PyTorch nn.LogSoftmax; softmax.h")                                                                    \
    X(8, DROPOUT, dropout, CLGRAD_LAYER_DROPOUT_PARAMETERS, true, "",                                        \
      "in training drops a share p of the features",                                                         \
      "0 with probability p, else x / (1 - p); x in evaluation", "0 where dropped, else dy / (1 - p)",       \
      "1 ulp", "PyTorch nn.Dropout; Srivastava et al. 2014; noise.h")                                        \
    X(9, LAYER_NORM, layer_norm, CLGRAD_LAYER_LAYER_NORM_PARAMETERS, true, "",                               \
      "every row to mean 0 and variance 1, then scaled (affine) and shifted (affine and bias)",              \
      "n weight + bias, n = (x - mean) rstd, rstd = 1 / sqrt(variance + eps), by row",                       \
      "g = dy weight: dx = rstd (g - mean of g - n mean of (g n)); dweight = sum of dy n, dbias = sum of "   \
      "dy over the batch",                                                                                   \
      "128 2^-24 of the terms' absolute values",                                                             \
      "PyTorch nn.LayerNorm; Ba, Kiros, Hinton 2016; normalization.h")                                       \
    X(10, BATCH_NORM, batch_norm, CLGRAD_LAYER_BATCH_NORM_PARAMETERS, true, "",                              \
      "every feature to mean 0 and variance 1 over the batch, in evaluation by running statistics",          \
      "n weight + bias, n = (x - mean) rstd, rstd = 1 / sqrt(variance + eps), by column",                    \
      "dbias = sum of dy, dweight = sum of dy n; dx = weight rstd (dy - dbias / batch - n dweight / "        \
      "batch), in evaluation weight rstd dy",                                                                \
      "128 2^-24 of the terms' absolute values",                                                             \
      "PyTorch nn.BatchNorm1d; Ioffe and Szegedy 2015; normalization.h")

/** The kinds of layers: the list's rows. */
typedef enum clgrad_layer_kind {
#define CLGRAD_LAYER_ENUM(value, identifier, ...) CLGRAD_LAYER_##identifier = value,
    CLGRAD_LAYER_LIST(CLGRAD_LAYER_ENUM)
#undef CLGRAD_LAYER_ENUM
} clgrad_layer_kind;

/** How many there are. */
enum {
#define CLGRAD_LAYER_ONE(...) +1
    CLGRAD_LAYER_COUNT = 0 CLGRAD_LAYER_LIST(CLGRAD_LAYER_ONE) /**< rows of the list */
#undef CLGRAD_LAYER_ONE
};

/** A layer and its parameters. Fields that its kind does not list are ignored, but for those of dense. */
typedef struct clgrad_layer {
    clgrad_layer_kind kind;           /**< which row of the list */
    size_t outputs;                   /**< dense: at least 1 */
    clgrad_activation activation;     /**< dense, activation */
    clgrad_initializer initializer;   /**< dense: of the weight */
    int32_t weight_group, bias_group; /**< optimizer groups of its parameters
                                         (network.h): 0 unless set, -1 for those that stay as they are */
    float init;                       /**< prelu: the slope to begin with */
    float lower, upper;               /**< rrelu: the interval of the slope */
    float p;                          /**< dropout: the share that is dropped */
    float eps;                        /**< the normalisations: added to the variance */
    float momentum;                   /**< batch_norm: the new batch's share in the running statistics */
    bool bias;                        /**< dense, layer_norm: whether there is one; it begins at 0 */
    bool per_channel;                 /**< prelu: a slope for each feature instead of one */
    bool affine;                      /**< the normalisations: a weight that begins at 1, and a bias */
    bool track_running_stats;         /**< batch_norm; without them evaluation uses the batch's own */
    uint64_t reserved[8];             /**< 0; room for later versions (docs/abi.md) */
} clgrad_layer;

/** What the list says of one layer. */
typedef struct clgrad_layer_info {
    const char *name;                                                 /**< "batch_norm" */
    const clgrad_parameter *parameters;                               /**< ends with a NULL name */
    const char *description, *formula, *gradient, *accuracy, *source; /**< in words */
} clgrad_layer_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_layer_info *clgrad_layer_describe(clgrad_layer_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_layer_parse(const char *name, clgrad_layer_kind *kind);

/** The layer with every parameter at PyTorch's default; the activation identity; dense has 0 outputs yet. */
CLGRAD_API clgrad_layer clgrad_layer_defaults(clgrad_layer_kind kind);

/**
 * A dense layer with bias, initialised as suits its activation: he_uniform for those that cut the negative
 * half off or flatten it (relu, relu6, leaky_relu, rrelu, elu, celu, gelu, gelu_tanh, silu, mish, softplus,
 * hardswish), else xavier_uniform.
 * PyTorch's nn.Linear draws weight and bias uniformly from -1 / sqrt(inputs) to 1 / sqrt(inputs) instead.
 */
CLGRAD_API clgrad_layer clgrad_layer_dense(size_t outputs, clgrad_activation_kind activation);

/** An elementwise activation alone, at its defaults. */
CLGRAD_API clgrad_layer clgrad_layer_activation(clgrad_activation_kind activation);

#ifdef __cplusplus
}
#endif

#endif
