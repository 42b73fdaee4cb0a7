#include "faults.h"

static struct {
    fault planned;
    bool watching, struck;
    unsigned detail;
    unsigned long calls[FAULT_KIND_COUNT];
} now;

fault_holds fault_held;

const char *fault_kind_name(fault_kind kind)
{
    static const char *const names[] = {
#define NAME(kind) #kind,
        FAULT_KINDS(NAME)
#undef NAME
    };
    return names[kind];
}

void faults_begin(fault f)
{
    now.planned = f;
    now.struck = false;
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        now.calls[kind] = 0;
}

void faults_watch(bool on)
{
    now.watching = on;
}

bool faults_disarm(void)
{
    now.planned.call = 0;
    return now.struck;
}

bool fault_has_struck(void)
{
    return now.struck;
}

unsigned fault_detail(void)
{
    return now.detail;
}

unsigned long fault_calls(fault_kind kind)
{
    return now.calls[kind];
}

fault_holds faults_held(void)
{
    return fault_held;
}

bool fault_due(fault_kind kind, unsigned detail, int *code)
{
    if (!now.watching)
        return false;
    const unsigned long call = ++now.calls[kind];
    const fault f = now.planned;
    if (f.call == 0 || f.kind != kind || call < f.call || (call > f.call && !f.lasting))
        return false;
    if (!now.struck)
        now.detail = detail;
    now.struck = true;
    *code = f.code;
    return true;
}
