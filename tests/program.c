#define _XOPEN_SOURCE 700

#include "program.h"

#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

char *hide_drivers(void)
{
    const char *drivers = getenv("OCL_ICD_VENDORS");
    char *before = drivers != NULL ? strdup(drivers) : NULL;
    setenv("OCL_ICD_VENDORS", "/nowhere", 1);
    return before;
}

void show_drivers(char *drivers)
{
    if (drivers != NULL)
        setenv("OCL_ICD_VENDORS", drivers, 1);
    else
        unsetenv("OCL_ICD_VENDORS");
    free(drivers);
}

void outcome_free(outcome *o)
{
    free(o->out);
    free(o->err);
}

void limit_files(size_t bytes)
{
    static struct rlimit usual;
    struct rlimit limit;
    if (bytes > 0)
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    limit = usual;
    limit.rlim_cur = bytes > 0 ? (rlim_t)bytes : usual.rlim_cur;
    signal(SIGXFSZ, bytes > 0 ? SIG_IGN : SIG_DFL); /* so that a write fails instead of ending the program */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static char *read_all(FILE *file)
{
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *text = calloc((size_t)size + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    return text;
}

static pid_t spawn(const char *const *arguments, FILE *out, FILE *err)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    assert_non_null(out);
    assert_non_null(err);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(err), STDERR_FILENO);
    /* posix_spawn takes char *const *, but changes nothing */
    char *copy[MAX_ARGUMENTS + 1] = {NULL};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i < MAX_ARGUMENTS);
        copy[i] = strdup(arguments[i]);
    }
    assert_int_equal(posix_spawn(&pid, copy[0], &actions, NULL, copy, environ), 0);
    for (size_t i = 0; copy[i] != NULL; i++)
        free(copy[i]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

pid_t start_program(const char *const *arguments, const char *out, const char *err)
{
    FILE *streams[] = {fopen(out, "w"), fopen(err, "w")};
    const pid_t pid = spawn(arguments, streams[0], streams[1]);
    fclose(streams[0]);
    fclose(streams[1]);
    return pid;
}

bool file_has(const char *file, const char *text)
{
    FILE *stream = fopen(file, "r");
    assert_non_null(stream);
    char *all = read_all(stream);
    const bool has = strstr(all, text) != NULL;
    free(all);
    fclose(stream);
    return has;
}

void wait_milliseconds(long milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

void wait_for_text(const char *file, const char *text)
{
    for (int i = 0; !file_has(file, text); i++) {
        assert_true(i < 12000);
        wait_milliseconds(5);
    }
}

static outcome run_once(const char *const *arguments)
{
    FILE *out = tmpfile(), *err = tmpfile();
    int status;
    const pid_t pid = spawn(arguments, out, err);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    outcome o = {WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                 read_all(out), read_all(err)};
    fclose(out);
    fclose(err);
    return o;
}

/*
 * LeakSanitizer looks at a process from outside when it ends, and crashes now and then where a thread of the
 * driver's is ending too. It says so, and then nothing is known about the program: it is run again.
 */
outcome run_arguments(const char *const *arguments)
{
    outcome o = run_once(arguments);
    if (strstr(o.err, "LeakSanitizer has encountered a fatal error") != NULL) {
        outcome_free(&o);
        o = run_once(arguments);
    }
    return o;
}

/* Run a program with arguments, which NULL ends. */
outcome run(const char *program, ...)
{
    const char *arguments[MAX_ARGUMENTS + 1] = {program};
    va_list list;
    va_start(list, program);
    for (size_t i = 1; (arguments[i] = va_arg(list, const char *)) != NULL; i++)
        assert_true(i < MAX_ARGUMENTS);
    va_end(list);
    return run_arguments(arguments);
}

void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

void assert_succeeded(const outcome *o)
{
    if (o->status != 0 || o->err[0] != '\0')
        fail_msg("exit status %d, stderr: %s", o->status, o->err);
}

/* One sentence on stderr, beginning with the program's name, and the exit status. */
void assert_failed(const outcome *o, int status, const char *part)
{
    if (o->status != status)
        fail_msg("exit status %d instead of %d, stderr: %s", o->status, status, o->err);
    assert_int_equal(strncmp(o->err, "train: ", 7), 0);
    assert_contains(o->err, part);
    assert_ptr_equal(strchr(o->err, '\n'), o->err + strlen(o->err) - 1);
}

/* The number in the line that begins with name; fails where there is not exactly one such line. */
double figure(const char *out, const char *name)
{
    char start[64], *end;
    snprintf(start, sizeof start, "\n%s: ", name);
    const char *line = strstr(out, start);
    if (line == NULL || strstr(line + 1, start) != NULL)
        fail_msg("there should be one line \"%s: ...\" in:\n%s", name, out);
    const char *number = line + strlen(start);
    double value = strtod(number, &end);
    assert_true(end != number);
    return value;
}

double epoch_loss(const char *out, int epoch)
{
    char start[32];
    snprintf(start, sizeof start, "\nepoch %d/", epoch);
    const char *line = strstr(out, start);
    assert_non_null(line);
    const char *loss = strstr(line, "  loss ");
    assert_non_null(loss);
    return strtod(loss + strlen("  loss "), NULL);
}

size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        found++;
    return found;
}

/* The whole of the last line is this. */
void assert_last_line(const char *out, const char *name, const char *end)
{
    size_t length = strlen(out);
    assert_true(length > 0 && out[length - 1] == '\n');
    const char *line = out + length - 1;
    while (line > out && line[-1] != '\n')
        line--;
    assert_int_equal(strncmp(line, name, strlen(name)), 0);
    assert_true(length >= strlen(end));
    assert_string_equal(out + length - strlen(end), end);
}

void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}
