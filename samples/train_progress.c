#define _POSIX_C_SOURCE 200809L

#include "train_progress.h"

#include "train_common.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define UPDATE_SECONDS 0.1
#define MAX_BAR 30
#define LEAST_BAR 8 /* characters; with fewer there is none */

/* ECMA-48's control sequences. */
#define GREEN "\033[32m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"
#define CLEAR_TO_END "\033[K"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

train_progress train_progress_begin(const train_options *options, size_t rows, size_t batches, size_t done)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    const bool terminal = isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
    const double now = seconds();
    return (train_progress){
        .terminal = terminal,
        .colour = terminal && (no_color == NULL || no_color[0] == '\0'),
        .epochs = options->epochs,
        .rows = rows,
        .done = done,
        .batches = batches,
        .stride = 1,
        .updated = now,
        .epoch_begin = now,
    };
}

bool train_progress_due(train_progress *progress)
{
    return ++progress->steps >= progress->stride;
}

static int terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* As many steps to the next update as UPDATE_SECONDS hold, but never many more than lately. */
static void choose_stride(train_progress *progress, double now)
{
    const double elapsed = fmax(now - progress->updated, 1e-6);
    const double stride = (double)progress->steps * UPDATE_SECONDS / elapsed;
    progress->stride = (size_t)fmin(fmax(stride, 1), 4 * (double)progress->stride);
    progress->steps = 0;
    progress->updated = now;
}

/* What stands after the bar, in the order in which it is shown. */
enum { BATCHES, LOSS, RATE, LEFT, PIECES };
typedef char piece[64];

static void describe(const train_progress *progress, size_t epoch, size_t batches, size_t done, double loss,
                     piece pieces[PIECES])
{
    const double total = (double)progress->epochs * (double)progress->rows;
    const double rows = (double)epoch * (double)progress->rows + (double)done;
    const double elapsed = progress->updated - progress->begin;
    snprintf(pieces[BATCHES], sizeof(piece), "  %*zu/%zu", train_digits(progress->batches), batches,
             progress->batches);
    snprintf(pieces[LOSS], sizeof(piece), "  loss %#-7.4g", loss);
    if (elapsed > 0) {
        const double rate = (rows - progress->begin_rows) / elapsed;
        const double left = ceil((total - rows) / rate);
        snprintf(pieces[RATE], sizeof(piece), "  %6.0f samples/s", rate);
        snprintf(pieces[LEFT], sizeof(piece), "  %.0f:%02.0f left", floor(left / 60), fmod(left, 60));
    }
}

/* Leave out what matters least until the rest goes into the columns. Returns how many the bar has, its ends
 * included. */
static int fit(int columns, piece front, piece pieces[PIECES])
{
    static const int by_importance[] = {RATE, BATCHES, LEFT, LOSS};
    int room = columns - (int)strlen(front);
    for (int i = 0; i < PIECES; i++)
        room -= (int)strlen(pieces[i]);
    for (int i = 0; i < PIECES && room < LEAST_BAR; i++) {
        room += (int)strlen(pieces[by_importance[i]]);
        pieces[by_importance[i]][0] = '\0';
    }
    if (room < 0)
        front[columns > 0 ? columns : 0] = '\0';
    return room < LEAST_BAR ? 0 : room < MAX_BAR ? room : MAX_BAR;
}

static void draw_bar(const train_progress *progress, size_t epoch, size_t batches, size_t done, double loss)
{
    piece front, pieces[PIECES] = {""};
    const char *green = progress->colour ? GREEN : "", *bold = progress->colour ? BOLD : "";
    const char *plain = progress->colour ? PLAIN : "";
    snprintf(front, sizeof front, "epoch %*zu/%zu ", train_digits(progress->epochs), epoch + 1,
             progress->epochs);
    describe(progress, epoch, batches, done, loss, pieces);
    const int bar =
        fit(terminal_columns() - 1, front, pieces) - 2; /* in the last column a terminal may wrap */
    const int filled = (int)((double)bar * (double)done / (double)progress->rows);
    printf("\r%s", front);
    if (bar > 0) {
        printf("[%s", green);
        for (int i = 0; i < bar; i++)
            putchar(i < filled ? '=' : i == filled ? '>' : ' ');
        printf("%s]", plain);
    }
    for (int i = 0; i < PIECES; i++)
        printf("%s%s%s", i == LOSS ? bold : "", pieces[i], i == LOSS ? plain : "");
    printf(CLEAR_TO_END);
    fflush(stdout);
}

void train_progress_update(train_progress *progress, size_t epoch, size_t batches, size_t rows, double loss)
{
    choose_stride(progress, seconds());
    if (progress->begin == 0) {
        progress->begin = progress->updated;
        progress->begin_rows = (double)epoch * (double)progress->rows + (double)rows;
    }
    if (progress->terminal)
        draw_bar(progress, epoch, batches, rows, loss);
    progress->on_a_line = progress->terminal;
}

void train_progress_time(const train_progress *progress, train_figures *figures)
{
    figures->seconds = seconds() - progress->epoch_begin;
    figures->rate = (double)(progress->rows - progress->done) / fmax(figures->seconds, 1e-9);
}

void train_progress_epoch(train_progress *progress, const train_figures *figures)
{
    printf("%sepoch %*zu/%zu  loss %#.4g  %.0f samples/s  %.2f s",
           progress->terminal ? "\r" CLEAR_TO_END : "", train_digits(progress->epochs), figures->epoch,
           progress->epochs, figures->loss, figures->rate, figures->seconds);
    if (figures->scored) {
        printf("  test loss %#.4g", figures->test.loss);
        if (isnan(figures->test.accuracy))
            printf(", rmse %.4g", figures->test.rmse);
        else
            printf(", accuracy %.2f %%", figures->test.accuracy);
    }
    putchar('\n');
    fflush(stdout);
    progress->epoch_begin = progress->updated = seconds();
    progress->done = 0;
    progress->on_a_line = false;
}

void train_progress_end(train_progress *progress)
{
    if (progress->on_a_line)
        putchar('\n');
    fflush(stdout);
    progress->on_a_line = false;
}
