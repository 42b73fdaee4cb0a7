/*
 * Pictures of a training: series, matrices, regions and images in, a PNG or SVG file out. Drawn by Cairo,
 * with Pango for the text; nothing here knows of clgrad.
 *
 * Every function that draws writes FILE as a whole (beside it first, then renamed) in the format that its
 * name ends in, .png (two pixels a unit) or .svg, and returns true. Otherwise it returns false, leaves one
 * sentence in the error, and what was at FILE before is still there. Texts are UTF-8; where they are too long
 * for their place they end in an ellipsis. Colours are those that Okabe and Ito chose for the colour-blind
 * ("Color universal design", 2008), as far as seven go, on a white ground.
 *
 * Without the libraries every call, plot_possible too, returns false and names the package (plot_none.c).
 */
#ifndef PLOT_H
#define PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct plot_error {
    char text[512];
} plot_error;

/* Whether pictures can be drawn at all, and the file's name ends in a format. Nothing is opened. */
bool plot_possible(const char *file, plot_error *error);

/* Numbers of the panel's count; what is not finite leaves a gap. */
typedef struct plot_series {
    const char *name;
    const double *y;
} plot_series;

/*
 * Series above the same x. The vertical axis is logarithmic where all numbers are above 0 and reach over more
 * than a decade, unless the panel says that it is linear.
 */
typedef struct plot_panel {
    const char *title; /* what the numbers are, with their unit */
    const plot_series *series;
    size_t series_count;
    bool linear;
    double highest; /* that the numbers can be at all, 100 for a percentage; NAN where there is none */
} plot_panel;

typedef struct plot_curves {
    const char *title, *x_label;
    const double *x; /* count whole numbers, ascending */
    size_t count;
    const plot_panel *panels; /* side by side */
    size_t panel_count;
} plot_curves;

bool plot_draw_curves(const char *file, const plot_curves *curves, plot_error *error);

/* A confusion matrix: counts[row * classes + column], a row a true class, a column a predicted one. */
typedef struct plot_matrix {
    const char *title, *subtitle;
    size_t classes;
    const char *const *names; /* classes of them */
    const size_t *counts;
} plot_matrix;

bool plot_draw_matrix(const char *file, const plot_matrix *matrix, plot_error *error);

/*
 * Where in a plane which class is the likeliest, and points on top. Point (row, column) of the grid lies at
 * x_low + column * (x_high - x_low) / (columns - 1), and the first row at y_low.
 */
typedef struct plot_regions {
    const char *title, *subtitle, *x_label, *y_label;
    double x_low, x_high, y_low, y_high;
    size_t columns, rows;     /* 2 of each at least */
    const float *probability; /* [rows, columns, classes], each point's add up to 1 */
    size_t classes;
    const char *const *names;  /* classes of them */
    const float *points;       /* [point_count, 2]: x and y */
    const int32_t *true_class; /* of each point */
    const bool *wrong;         /* of each point: predicted as another */
    size_t point_count;
} plot_regions;

bool plot_draw_regions(const char *file, const plot_regions *regions, plot_error *error);

/* One image of a contact sheet, and three lines below it. */
typedef struct plot_image {
    const float *grey; /* [height, width], ink 1 on ground 0 */
    const char *truth, *prediction, *remark;
} plot_image;

typedef struct plot_sheet {
    const char *title, *subtitle;
    const char *truth, *prediction, *remark; /* what the three lines are */
    size_t width, height;                    /* of every image */
    const plot_image *images;
    size_t count; /* may be 0 */
} plot_sheet;

bool plot_draw_sheet(const char *file, const plot_sheet *sheet, plot_error *error);

#endif
