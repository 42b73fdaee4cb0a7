/**
 * @file conformance.h
 * Whether a device, with the driver that this machine has, computes what this library promises: every
 * operation with each of its options and many sizes, beside the double-precision reference. The program
 * clgrad-doctor shows what this call reports.
 */
#ifndef CLGRAD_CONFORMANCE_H
#define CLGRAD_CONFORMANCE_H

#include <clgrad/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is to run. */
typedef struct clgrad_conformance_options {
    /** More options, more and larger sizes: minutes instead of seconds. */
    bool full;
    /**
     * Names of what to run, only_count of them: a family ("loss"), an operation ("gelu_backward"), or an
     * operation without its direction ("gelu"). NULL, with a count of 0, runs everything.
     */
    const char *const *only;
    size_t only_count;    /**< of those names */
    uint64_t reserved[6]; /**< 0; room for later versions (docs/abi.md) */
} clgrad_conformance_options;

/** Everything, in the short form. */
CLGRAD_API clgrad_conformance_options clgrad_conformance_defaults(void);

/** What a report is about. */
typedef enum clgrad_conformance_verdict {
    CLGRAD_CONFORMANCE_LISTED = 0,  /**< there is such an operation; nothing has run */
    CLGRAD_CONFORMANCE_STARTED = 1, /**< its cases begin to run */
    CLGRAD_CONFORMANCE_PASSED = 2,  /**< every number is within its bound */
    CLGRAD_CONFORMANCE_FAILED = 3   /**< one is not, or a call failed */
} clgrad_conformance_verdict;

/** "listed", "started", "passed", "failed"; "unknown" for a value not among them. */
CLGRAD_API const char *clgrad_conformance_verdict_name(clgrad_conformance_verdict verdict);

/**
 * The smallest input found that shows a failure: sizes grow from case to case, and one that fails is shrunk
 * dimension by dimension. Inputs are functions of the case and the position alone: the same on every machine.
 */
typedef struct clgrad_conformance_failure {
    char options[384]; /**< "negative_slope=0.01", "reduction=mean label_smoothing=0.5, weights"; "" for none
                        */
    char shape[128];   /**< of the case: "x [65]" */
    /**
     * SUCCESS: a number is wrong, and the fields below say which. Otherwise the device's call came back with
     * this status and the sentence in message, where the reference's succeeded; or (SUCCESS and a sentence)
     * it succeeded where the reference refused, or wrote where it must not.
     */
    clgrad_status status;
    char message[512]; /**< as status says */
    char array[48];    /**< the result that is wrong: "dx" */
    uint64_t index;    /**< of its first wrong element */
    char input[512];   /**< what was put in there: "x[64] = 0x1.8p+1 (3), dy[64] = 0x1p+0 (1)" */
    double got;        /**< the device's */
    double expected;   /**< the reference's, rounded to float32 */
    double error; /**< in units, as clgrad_conformance_result; infinite where the two cannot be compared */
} clgrad_conformance_failure;

/** One operation. */
typedef struct clgrad_conformance_result {
    const char *family;                 /**< "activation" */
    const char *operation;              /**< "gelu_backward" */
    clgrad_conformance_verdict verdict; /**< what the report is about */
    const char *unit;                   /**< what worst and bound are counted in, see below */
    double bound;                       /**< a number that is further off fails */
    double worst;                       /**< the largest error of any number, by which it is certainly off */
    uint64_t cases;        /**< calls with some options and size, compared with the reference's */
    uint64_t numbers;      /**< results compared */
    uint64_t failed_cases; /**< of those */
    clgrad_conformance_failure failure; /**< of the verdict FAILED */
} clgrad_conformance_result;

/**
 * @name Running
 * An error is the distance between the device's number and the reference's, less half a unit in the last
 * place (the reference rounds its double to float32) and less what the header of the family allows for
 * numbers below the smallest normal one. So a bound that is exceeded is a bound that is broken, and a worst
 * error of 0 means that all numbers were the reference's or rounded the other way. NaN against anything else,
 * and an infinity against a number that is not at the edge of float32, are infinitely far off.
 *
 * Units: "ulp", units in the last place (activations); "u", 2^-24 times the sum of the absolute values of the
 * terms, as the family's header counts them (losses, optimizers, softmaxes); "bound", 1 being what the
 * header allows, where that is a formula (dense layers, normalisation); "relative", to the norm of an
 * array (training); "exact", where every bit counts. Bounds are those of the lists.
 * @{
 */

/**
 * Called for each operation, with STARTED and then PASSED or FAILED (by clgrad_conformance_list: once, with
 * LISTED). The result and its strings live as long as the call.
 *
 * @return whether to go on: false ends the run after this operation
 */
typedef bool clgrad_conformance_report(const clgrad_conformance_result *result, void *user);

/**
 * Run the cases on the context and on a reference of its own, and report operation by operation. What fails
 * is reported, and is no failure of this call. Works with memory of its own only, waits for the device, and
 * leaves its sentences in the context; the context should have no index fault pending.
 *
 * @param options  NULL: the defaults
 * @param report   receives each result, with user
 * @return SUCCESS, also where operations fail; INVALID_ARGUMENT (NULL, a name in only that no operation has);
 *         OUT_OF_MEMORY; a status of the reference's. The sentence is in the context.
 */
CLGRAD_API clgrad_status clgrad_conformance_run(clgrad_context *context,
                                                const clgrad_conformance_options *options,
                                                clgrad_conformance_report *report, void *user);

/**
 * Report what clgrad_conformance_run would run, without a device.
 *
 * @param message  receives a sentence after a failure; may be NULL
 * @return SUCCESS; INVALID_ARGUMENT (report is NULL, a name in only that no operation has)
 */
CLGRAD_API clgrad_status clgrad_conformance_list(const clgrad_conformance_options *options,
                                                 clgrad_conformance_report *report, void *user,
                                                 clgrad_message *message);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
