/*
 * What the families' files share. A family's file names its operations; an operation runs cases; a case makes
 * tensors on the device and on the reference, calls both, and compares. Only the library's public calls are
 * made. A failure of the device is part of the result; one of the host or the reference is kept in
 * run->status, and whatever comes after it does nothing.
 */
#ifndef CLGRAD_CONFORMANCE_CONFORMANCE_H
#define CLGRAD_CONFORMANCE_CONFORMANCE_H

#include <clgrad/clgrad.h>

#include "../internal.h"

/* X(family): a function clgrad_conf_FAMILY in src/conformance/FAMILY.c. */
#define CLGRAD_CONF_FAMILY_LIST(X) \
    X(tensor)                      \
    X(random)                      \
    X(activation)                  \
    X(gated)                       \
    X(softmax)                     \
    X(noise)                       \
    X(normalization)               \
    X(dense)                       \
    X(loss)                        \
    X(clip)                        \
    X(optimizer)                   \
    X(training)

enum {
    CLGRAD_CONF_DEVICE = 0,
    CLGRAD_CONF_REFERENCE = 1,
    CLGRAD_CONF_SIDES = 2,
    CLGRAD_CONF_MAX_OPERANDS = 32, /* of one case */
    CLGRAD_CONF_MAX_RANK = 4       /* of a case's shape */
};

#define CLGRAD_CONF_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CLGRAD_CONF_U 0x1p-24 /* the rounding error of float32 */

/* The same tensor on both sides; absent on both where all is zero. */
typedef struct clgrad_conf_pair {
    clgrad_tensor at[CLGRAD_CONF_SIDES];
} clgrad_conf_pair;

typedef struct clgrad_conf_operand {
    const char *name; /* NULL for an output */
    clgrad_conf_pair pair;
    const void *numbers; /* float or int32_t, of an input */
} clgrad_conf_operand;

typedef struct clgrad_conf_run clgrad_conf_run;

/* One case: an operation with a descriptor (and whatever else setting points to) in a shape. */
typedef void clgrad_conf_check(clgrad_conf_run *run, const void *setting, const size_t *shape);

struct clgrad_conf_run {
    clgrad_context *context[CLGRAD_CONF_SIDES];
    clgrad_conformance_options options;
    clgrad_conformance_report *report;
    void *user;
    bool listing; /* name the operations, run nothing */
    bool stopped; /* by the caller's report */
    bool flushes; /* the device makes denormals 0 */
    clgrad_status status;
    clgrad_message message; /* of that status */
    bool *found;            /* for each name of options.only: there is such an operation */

    char name[96]; /* of the operation */
    clgrad_conformance_result result;

    /* the case that runs */
    clgrad_conformance_failure here; /* its options and its shape; what fails first in it */
    bool failed;
    bool refused; /* both sides refused it: no failure */
    size_t elements;
    size_t failed_elements; /* of the smallest case that has failed */
    clgrad_conf_operand operands[CLGRAD_CONF_MAX_OPERANDS];
    size_t operand_count;
    void *memory; /* a list of what clgrad_conf_memory gave */
};

#define CLGRAD_CONF_DECLARE(family) void clgrad_conf_##family(clgrad_conf_run *run);
CLGRAD_CONF_FAMILY_LIST(CLGRAD_CONF_DECLARE)
#undef CLGRAD_CONF_DECLARE

/* ---- operations (../conformance.c) ---- */

/*
 * Begin an operation, NAME or NAME_SUFFIX where there is a suffix. True where its cases are to run; then
 * clgrad_conf_end follows.
 */
bool clgrad_conf_begin(clgrad_conf_run *run, const char *family, const char *name, const char *suffix,
                       const char *unit, double bound);
void clgrad_conf_end(clgrad_conf_run *run);

/* The host or the reference has failed. */
void clgrad_conf_give_up(clgrad_conf_run *run, clgrad_status status, const char *format, ...)
    CLGRAD_PRINTF(3, 4);

/* Whether there is nothing more to do in a case: it has failed, been refused, or the run is over. */
static inline bool clgrad_conf_over(const clgrad_conf_run *run)
{
    return run->status != CLGRAD_STATUS_SUCCESS || run->failed || run->refused;
}

/* ---- cases (case.c) ---- */

/* What runs in several shapes. */
typedef struct clgrad_conf_case {
    clgrad_conf_check *check;
    const void *setting;    /* for check */
    const char *words;      /* what the setting is */
    const char *dimensions; /* names of the shape's, separated by blanks: "batch in out" */
} clgrad_conf_case;

typedef size_t clgrad_conf_shape[CLGRAD_CONF_MAX_RANK];

/*
 * Run a case in each of count shapes, which grow, up to the first that fails, and look for a smaller one that
 * fails too.
 */
void clgrad_conf_sizes(clgrad_conf_run *run, const clgrad_conf_case *each, const clgrad_conf_shape *shapes,
                       size_t count);

/* The same in one shape. */
void clgrad_conf_once(clgrad_conf_run *run, const clgrad_conf_case *each, const clgrad_conf_shape shape);

/* The same in shapes [n] around the sizes at which kernels change their ways, up to a large one. */
void clgrad_conf_lengths(clgrad_conf_run *run, const clgrad_conf_case *each);

/* Memory of the host until the case ends, set to 0; NULL, and the run is over, where there is none. */
void *clgrad_conf_memory(clgrad_conf_run *run, size_t count, size_t size);
float *clgrad_conf_floats(clgrad_conf_run *run, size_t count);
double *clgrad_conf_doubles(clgrad_conf_run *run, size_t count);

/*
 * Tensors until the case ends, with guards around them: an input holds the numbers (which live as long), an
 * output NaN. numbers NULL gives an absent pair.
 */
clgrad_conf_pair clgrad_conf_input(clgrad_conf_run *run, const char *name, int rank, const size_t *shape,
                                   const float *numbers);
clgrad_conf_pair clgrad_conf_integers(clgrad_conf_run *run, const char *name, int rank, const size_t *shape,
                                      const int32_t *numbers);
clgrad_conf_pair clgrad_conf_output(clgrad_conf_run *run, int rank, const size_t *shape);
clgrad_conf_pair clgrad_conf_none(void);

/* Write numbers into both, or into one. */
void clgrad_conf_write(clgrad_conf_run *run, int side, clgrad_conf_pair pair, const void *numbers);

/* What a tensor holds on one side, until the case ends; NULL once the case is over, or where it is absent. */
float *clgrad_conf_read(clgrad_conf_run *run, int side, clgrad_conf_pair pair);

/*
 * Run call for both sides, with the variable side. The device must answer as the reference does; one that
 * both refuse ends the case.
 */
#define CLGRAD_CONF_CALL(run, call)                                                    \
    do {                                                                               \
        clgrad_status statuses_[CLGRAD_CONF_SIDES] = {CLGRAD_STATUS_SUCCESS};          \
        for (int side = 0; side < CLGRAD_CONF_SIDES && !clgrad_conf_over(run); side++) \
            statuses_[side] = (call);                                                  \
        clgrad_conf_answered(run, statuses_);                                          \
    } while (0)
void clgrad_conf_answered(clgrad_conf_run *run, const clgrad_status statuses[CLGRAD_CONF_SIDES]);

/* ---- comparing (compare.c) ---- */

/*
 * Compare a result with the reference's: element i may be off by the operation's bound times unit[i], and by
 * slack.
 */
void clgrad_conf_compare(clgrad_conf_run *run, const char *array, clgrad_conf_pair pair, const double *unit,
                         double slack);
void clgrad_conf_compare_exact(clgrad_conf_run *run, const char *array, clgrad_conf_pair pair);

/* The error, in units, of a number. */
double clgrad_conf_error(float got, float expected, double unit, double slack);

/* Take down one number's error. */
void clgrad_conf_number(clgrad_conf_run *run, const char *array, size_t index, double got, double expected,
                        double error);

/* The case fails with a sentence. */
void clgrad_conf_fail(clgrad_conf_run *run, clgrad_status status, const char *format, ...)
    CLGRAD_PRINTF(3, 4);

/* The unit in the last place of a float32 near a number; of the smallest normal one's for those below. */
double clgrad_conf_ulp(double number);

/* What count numbers below the smallest normal one may lose. */
double clgrad_conf_lost(const clgrad_conf_run *run, double count);

/* ---- inputs (draw.c): functions of seed and position alone ---- */

/* Normal numbers of that spread. */
void clgrad_conf_normal(float *numbers, size_t count, uint64_t seed, double spread);

/* 64 bits. */
uint64_t clgrad_conf_hash(uint64_t seed, uint64_t position);

/* ---- settings (setting.c) ---- */

/*
 * The settings of a descriptor's parameters to try, by index: the defaults that it holds, each parameter
 * alone at some values of its interval, and all of them off their defaults. False beyond the last. Which
 * values is decided by default and interval, so that a new parameter is tried too; some may be against a
 * constraint.
 */
bool clgrad_conf_setting(const clgrad_conf_run *run, const clgrad_parameter *parameters, size_t index,
                         void *descriptor);

/* "alpha=0.5 beta=2", with more behind it; the parameters that are not NULL. */
void clgrad_conf_words(const clgrad_parameter *parameters, const void *descriptor, const char *more,
                       char *words, size_t room);

#endif
