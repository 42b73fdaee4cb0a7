/*
 * What every program begins with. The host passes GROUP_SIZE: the work-group size of reductions, a power
 * of two. Arrays come as a pointer and an offset in elements, since many tensors share a buffer.
 */

/* How numbers lie in memory, and what is calculated with: named here and nowhere else. */
typedef float storage;
typedef float real;
typedef float2 real2;

#define LOAD(array, i) ((real)(array)[i])
#define STORE(array, i, x) ((array)[i] = (storage)(x))

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* The larger; NaN where one of them is. */
static real larger(real x, real y)
{
    return y > x || isnan(y) ? y : x;
}

/*
 * A sum that does not lose small terms: each addition's rounding error is exact (Knuth, The Art of
 * Computer Programming 2, 4.2.2, theorem B) and gathered beside it. Once the sum is infinite or NaN
 * the gathered errors mean nothing.
 */
typedef struct sum {
    real value, error;
} sum;

static void add_to(real *value, real *error, real x)
{
    const real total = *value + x;
    const real added = total - *value;
    *error += (*value - (total - added)) + (x - added);
    *value = total;
}

static void sum_add(sum *s, real x)
{
    add_to(&s->value, &s->error, x);
}

static real sum_result(sum s)
{
    return isfinite(s.value) ? s.value + s.error : s.value;
}

/*
 * How a function that is handed a __local array is declared: it becomes part of its kernel. Where such a
 * function stays apart and always gets the same array, compilers let it name the array itself, and PoCL (3.1)
 * then leaves that in memory of which all its threads have but one.
 */
#define LOCAL_FUNCTION static inline __attribute__((always_inline))

/*
 * The sum over width neighbouring work-items (a power of two), in the first of them; a tree, so that the
 * order depends on width alone. Every work-item of the group takes part; lane counts from 0 in its
 * neighbourhood, and shared has room for one number a work-item.
 */
LOCAL_FUNCTION real sum_lanes(__local real *shared, size_t item, size_t lane, size_t width, real x)
{
    shared[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t half_width = width / 2; half_width > 0; half_width /= 2) {
        if (lane < half_width)
            shared[item] += shared[item + half_width];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const real total = shared[item - lane];
    barrier(CLK_LOCAL_MEM_FENCE);
    return total;
}

/*
 * Record an index outside 0 to limit - 1. The first one to come keeps the place; the host reports it.
 * record: kind, position, value, limit, as clgrad_fault in src/backend.h.
 */
static void record_fault(__global int *record, int kind, ulong position, int value, ulong limit)
{
    if (atomic_cmpxchg(&record[0], 0, kind) == 0) {
        record[1] = (int)min(position, (ulong)INT_MAX);
        record[2] = value;
        record[3] = (int)min(limit, (ulong)INT_MAX);
    }
}

#define FAULT_CLASS 1
#define FAULT_ROW 2
#define FAULT_INPUT_LENGTH 3
#define FAULT_TARGET_LENGTH 4
#define FAULT_GROUP 5
#define FAULT_ANOMALY 6
