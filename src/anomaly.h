/*
 * The mode in which a context looks at every result (clgrad_context_detect_anomaly).
 */
#ifndef CLGRAD_ANOMALY_H
#define CLGRAD_ANOMALY_H

#include "internal.h"

/* Leave the mode, if the context is in it; what has been found is not reported any more. */
void clgrad_anomalies_end(clgrad_context *context);

/* The status and sentence of a fault of kind ANOMALY. */
clgrad_status clgrad_anomalies_report(clgrad_context *context, clgrad_fault fault);

/* Everything that has been looked at was good, or has been reported: none of it will be asked for again. */
void clgrad_anomalies_forget(clgrad_context *context);

#endif
