#define _POSIX_C_SOURCE 200809L

#include "train_files.h"

#include "plot/plot.h"
#include "train_parser.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct output {
    const char *option, *path; /* NULL: not given */
    bool picture;
} output;

/* In its folder there is, or can be made, a regular file of this name. */
static bool possible(const output *file, clgrad_message *message)
{
    char folder[4096];
    struct stat about;
    plot_error error;
    const char *path = file->path;
    if (file->picture && !plot_possible(path, &error))
        return train_refuse(message, "--%s: %s", file->option, error.text);
    const int length = snprintf(folder, sizeof folder, "%s", path);
    int problem = path[0] == '\0' ? ENOENT : length < 0 || (size_t)length >= sizeof folder ? ENAMETOOLONG : 0;
    if (problem == 0 && access(dirname(folder), W_OK | X_OK) != 0)
        problem = errno;
    if (problem != 0)
        return train_refuse(message, "--%s: %.1000s cannot be written: %s", file->option, path,
                            strerror(problem));
    if (lstat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISLNK(about.st_mode))
        return train_refuse(message, "--%s: %.1000s cannot be written: it is there and no regular file",
                            file->option, path);
    return true;
}

bool train_files_possible(const train_options *options, clgrad_message *message)
{
    const output files[] = {{"save", options->save, false},
                            {"log", options->log, false},
#define PICTURE(identifier, option, help) {option, options->pictures[TRAIN_##identifier], true},
                            TRAIN_PICTURE_LIST(PICTURE)
#undef PICTURE
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (files[i].path == NULL)
            continue;
        if (!possible(&files[i], message))
            return false;
        for (size_t j = 0; j < i; j++)
            if (files[j].path != NULL && strcmp(files[i].path, files[j].path) == 0)
                return train_refuse(message, "--%s and --%s are both to be written to %.1000s",
                                    files[j].option, files[i].option, files[i].path);
    }
    return true;
}
