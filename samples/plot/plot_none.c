/* In the place of all that draws, where the build has found no libraries for it. */
#include "plot.h"

#include <stdio.h>

bool plot_possible(const char *file, plot_error *error)
{
    snprintf(
        error->text, sizeof error->text,
        "%.200s: this program was built without pictures: build it anew with CLGRAD_PLOTS=ON, and with Pango "
        "and its development files (Debian, Ubuntu: libpango1.0-dev)",
        file);
    return false;
}

bool plot_draw_curves(const char *file, const plot_curves *curves, plot_error *error)
{
    (void)curves;
    return plot_possible(file, error);
}

bool plot_draw_matrix(const char *file, const plot_matrix *matrix, plot_error *error)
{
    (void)matrix;
    return plot_possible(file, error);
}

bool plot_draw_regions(const char *file, const plot_regions *regions, plot_error *error)
{
    (void)regions;
    return plot_possible(file, error);
}

bool plot_draw_sheet(const char *file, const plot_sheet *sheet, plot_error *error)
{
    (void)sheet;
    return plot_possible(file, error);
}
