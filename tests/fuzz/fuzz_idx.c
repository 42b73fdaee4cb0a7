/* The reader of IDX files. An input is the four files of a folder, one behind the other, "|file|" between. */
#include "check_dataset.h"
#include "fuzz.h"

#define FILES 4

static const char *const names[FILES] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
static fuzz_file files[FILES];
static const char *folder;

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count, (void)arguments;
    for (size_t i = 0; i < FILES; i++)
        files[i] = fuzz_file_create();
    folder = fuzz_folder(names, files, FILES);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes rest = {data, size};
    for (size_t i = 0; i < FILES; i++)
        fuzz_file_fill(&files[i], fuzz_cut(&rest, "|file|"));
    dataset_pair pair = untouched_pair();
    dataset_error error = {""};
    check_answer(dataset_read_idx(folder, &pair, &error), &pair, &error);
    return 0;
}
