/*
 * The columns of a matrix among work-items. A group takes width neighbouring columns and all rows; the host
 * names STRIP, how many of them one work-item takes at most.
 *
 * On a GPU that is one: neighbouring work-items read neighbouring columns, the group's lanes share the rows,
 * and a tree adds up what they have. On a CPU a group is one work-item, which takes all its columns row by
 * row: loops over columns become vector code, and there is nothing to wait for. For that, such a loop reads
 * global memory and leaves its results in private memory, and another one stores them: a compiler need not
 * ask then whether the operands overlap. Either way the order of a sum depends on sizes and device alone.
 */

#if STRIP > 1
#define COLUMN_GROUP 1
#else
#define COLUMN_GROUP GROUP_SIZE
#endif

/* A work-item's columns, count of them from first on, and its rows: every height-th from lane on. */
typedef struct strip {
    size_t first, lane, height, item;
    int count;
} strip;

static strip strip_among(ulong columns, ulong width)
{
    const size_t across = STRIP > 1 ? 1 : width, place = get_local_id(0) % across;
    strip s;
    s.lane = get_local_id(0) / across;
    s.height = COLUMN_GROUP / across;
    s.item = place * s.height + s.lane; /* the lanes of one column are neighbours in local memory */
    s.first = get_group_id(0) * width + place;
    s.count = s.first < columns ? (int)min(STRIP > 1 ? width : 1, columns - s.first) : 0;
    return s;
}

/* A sum for each column. */
typedef struct sums {
    real value[STRIP], error[STRIP];
} sums;

static void sums_begin(sums *s, strip p)
{
    for (int k = 0; k < p.count; k++)
        s->value[k] = s->error[k] = 0;
}

static void sums_add(sums *s, int k, real x)
{
    sum one = {s->value[k], s->error[k]};
    sum_add(&one, x);
    s->value[k] = one.value;
    s->error[k] = one.error;
}

/* The totals over all rows into value, for every lane. Every work-item of the group takes part. */
LOCAL_FUNCTION void sums_finish(sums *s, strip p, __local real *shared)
{
#if STRIP > 1
    for (int k = 0; k < p.count; k++)
        s->value[k] = sum_result((sum){s->value[k], s->error[k]});
#else
    s->value[0] = sum_lanes(shared, p.item, p.lane, p.height,
                            p.count > 0 ? sum_result((sum){s->value[0], s->error[0]}) : 0);
#endif
}
