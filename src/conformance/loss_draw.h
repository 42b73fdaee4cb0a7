/*
 * Numbers for a loss, drawn from what its list's row says that it takes.
 */
#ifndef CLGRAD_CONFORMANCE_LOSS_DRAW_H
#define CLGRAD_CONFORMANCE_LOSS_DRAW_H

#include "conformance.h"
#include "loss.h"

enum {
    CLGRAD_CONF_WITH_CLASSES = 1, /* an integer target where a float32 one would do */
    CLGRAD_CONF_WITH_WEIGHT = 2,  /* whatever weights the loss takes */
    CLGRAD_CONF_WITH_DVALUE = 4,
    CLGRAD_CONF_WITH_ALL = 7
};

typedef struct clgrad_conf_loss_setting {
    clgrad_loss loss;
    unsigned with;
} clgrad_conf_loss_setting;

/* Which of the ways above make a difference to a loss. */
unsigned clgrad_conf_loss_ways(clgrad_loss_kind kind);

/* A case in a shape, in the run's memory; false once the run is over. */
bool clgrad_conf_loss_draw(clgrad_conf_run *run, const clgrad_conf_loss_setting *setting, const size_t *shape,
                           clgrad_conf_loss_case *c);

#endif
