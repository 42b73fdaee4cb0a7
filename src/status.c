#include <clgrad/status.h>

static const struct {
    const char *name, *meaning;
} statuses[] = {
#define ROW(value, identifier, name, meaning) [value] = {#name, meaning},
    CLGRAD_STATUS_LIST(ROW)
#undef ROW
};

#define STATUS_COUNT (sizeof statuses / sizeof statuses[0])

const char *clgrad_status_name(clgrad_status status)
{
    return (size_t)status < STATUS_COUNT ? statuses[status].name : "unknown";
}

const char *clgrad_status_meaning(clgrad_status status)
{
    return (size_t)status < STATUS_COUNT ? statuses[status].meaning : "unknown";
}
