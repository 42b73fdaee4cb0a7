#include "doctor.h"

bool doctor_device_passed(const doctor_device *d)
{
    bool passed = d->error[0] == '\0' && d->count > 0;
    for (size_t i = 0; i < d->count; i++)
        passed = passed && d->results[i].result.verdict == CLGRAD_CONFORMANCE_PASSED;
    return passed;
}

bool doctor_passed(const doctor_state *doctor)
{
    bool passed = doctor->device_count > 0;
    for (size_t i = 0; i < doctor->device_count; i++)
        passed = passed && doctor_device_passed(&doctor->devices[i]);
    return passed;
}

const char *doctor_verdict(const doctor_result *r)
{
    return r->crash[0] != '\0' ? "crashed" : clgrad_conformance_verdict_name(r->result.verdict);
}
