#include "check_dataset.h"

#include "fuzz.h"

#include <math.h>
#include <string.h>

dataset_pair untouched_pair(void)
{
    return (dataset_pair){.train.rows = 12345, .test.rows = 54321, .skipped_rows = 77};
}

static void check_sentence(const dataset_error *error)
{
    const char *end = memchr(error->text, '\0', sizeof error->text);
    FUZZ_CHECK(end != NULL && end > error->text);
    for (const char *c = error->text; c < end; c++)
        FUZZ_CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void check_names(char **names, size_t count)
{
    size_t characters = 0;
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(names[i] != NULL);
        characters += strlen(names[i]); /* all of it is there to be read */
    }
    FUZZ_CHECK(characters < (size_t)-1);
}

static void check_set(const dataset *set)
{
    FUZZ_CHECK(set->rows > 0 && set->features > 0);
    FUZZ_CHECK(set->width * set->height == (set->width > 0 ? set->features : 0));
    for (size_t i = 0; i < set->rows * set->features; i++)
        FUZZ_CHECK(isfinite(set->x[i]));
    for (size_t i = 0; set->x_mean != NULL && i < set->features; i++)
        FUZZ_CHECK(isfinite(set->x_mean[i]) && isfinite(set->x_std[i]) && set->x_std[i] >= 0);
    if (set->feature_names != NULL)
        check_names(set->feature_names, set->features);
    if (set->class_count == 0) {
        FUZZ_CHECK(set->classes == NULL && set->class_names == NULL);
        FUZZ_CHECK(isfinite(set->y_mean) && isfinite(set->y_std) && set->y_std > 0);
        for (size_t i = 0; i < set->rows; i++)
            FUZZ_CHECK(isfinite(set->y[i]));
        return;
    }
    FUZZ_CHECK(set->class_count > 1 && set->y == NULL);
    check_names(set->class_names, set->class_count);
    for (size_t i = 0; i < set->rows; i++)
        FUZZ_CHECK(set->classes[i] >= 0 && (size_t)set->classes[i] < set->class_count);
}

void check_answer(bool read, dataset_pair *pair, const dataset_error *error)
{
    if (!read) {
        const dataset_pair untouched = untouched_pair();
        check_sentence(error);
        FUZZ_CHECK(memcmp(pair, &untouched, sizeof untouched) == 0);
        return;
    }
    check_set(&pair->train);
    check_set(&pair->test);
    FUZZ_CHECK(pair->train.features == pair->test.features);
    FUZZ_CHECK(pair->train.class_count == pair->test.class_count);
    FUZZ_CHECK(pair->train.y_mean == pair->test.y_mean && pair->train.y_std == pair->test.y_std);
    dataset_pair_free(pair);
}
