/*
 * The reader of CSV files. An input is a line of flags, the target, a column to be ignored, and then the
 * file. Flags: c classify, r regress, s skip empty cells, n no target, i ignore the column, 1 to 9 the test
 * fraction in tenths.
 */
#include "check_dataset.h"
#include "fuzz.h"

#include <stdlib.h>

static fuzz_file file;

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count, (void)arguments;
    file = fuzz_file_create();
    return 0;
}

static void set_flag(dataset_csv_options *options, char flag)
{
    if (flag == 'c' || flag == 'r')
        options->task = flag == 'c' ? DATASET_TASK_CLASSIFY : DATASET_TASK_REGRESS;
    else if (flag == 's')
        options->skip_empty = true;
    else if (flag == 'n')
        options->target = NULL;
    else if (flag == 'i')
        options->ignore_count = 1;
    else if (flag >= '1' && flag <= '9')
        options->test_fraction = (flag - '0') / 10.0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes rest = {data, size};
    char *flags = fuzz_line(&rest), *target = fuzz_line(&rest), *ignored = fuzz_line(&rest);
    fuzz_file_fill(&file, rest);
    dataset_csv_options options = dataset_csv_defaults();
    options.target = target;
    options.ignore = (const char *const[]){ignored};
    for (const char *flag = flags; *flag != '\0'; flag++)
        set_flag(&options, *flag);

    dataset_pair pair = untouched_pair();
    dataset_error error = {""};
    check_answer(dataset_read_csv(file.path, &options, &pair, &error), &pair, &error);
    free(flags);
    free(target);
    free(ignored);
    return 0;
}
