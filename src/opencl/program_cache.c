/*
 * Compiled programs on disk, so that the next process need not compile them again.
 *
 * A file for each program holds its key and the driver's binary. The key is everything that the binary
 * depends on, word for word; its hash is the file's name. Since the key is compared, programs that share a
 * hash only take each other's place. Files come under their names whole, by a rename, so that any number of
 * processes may start at once; one that is damaged all the same counts as missing.
 *
 * Nothing here fails: where anything goes wrong, the program is compiled from its source.
 */
#define _POSIX_C_SOURCE 200809L
#include "cl_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct header {
    char magic[16]; /* with the format's number in it */
    uint64_t key_bytes, binary_bytes;
    uint64_t checksum; /* of key and binary */
} header;

static const char magic[16] = "clgrad program 1";

/* An array of bytes from malloc; NULL and 0 where there is none. */
typedef struct block {
    unsigned char *bytes;
    size_t count;
} block;

/* FNV-1a in 64 bits (Fowler, Noll, Vo): good enough to name files and to notice damage. */
static uint64_t hash(uint64_t state, block b)
{
    for (size_t i = 0; i < b.count; i++)
        state = (state ^ b.bytes[i]) * 0x100000001b3u;
    return state;
}

static const uint64_t hash_basis = 0xcbf29ce484222325u;

static char *join(const char *folder, const char *name)
{
    const size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = malloc(bytes);
    if (path != NULL)
        snprintf(path, bytes, "%s/%s", folder, name);
    return path;
}

/* ---- where ---- */

clgrad_status clgrad_cl_open_cache(clgrad_cl_context *cl)
{
    const char *wish = getenv("CLGRAD_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (wish != NULL && strcmp(wish, "off") == 0)
        return CLGRAD_STATUS_SUCCESS;
    if (wish != NULL && wish[0] == '/')
        cl->cache_folder = join(wish, "");
    else if (wish != NULL && wish[0] != '\0')
        return clgrad_fail(&cl->base, CLGRAD_STATUS_INVALID_ARGUMENT,
                           "CLGRAD_CACHE is \"%s\", it must be off or the absolute path of a folder", wish);
    else if (xdg != NULL && xdg[0] == '/') /* the XDG base directory specification ignores relative paths */
        cl->cache_folder = join(xdg, "clgrad");
    else if (home != NULL && home[0] == '/')
        cl->cache_folder = join(home, ".cache/clgrad");
    return CLGRAD_STATUS_SUCCESS;
}

/* With the folders above it, as far as they are missing. */
static void make_folder(const char *path)
{
    char *part = join(path, "");
    for (char *slash = part; slash != NULL && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        mkdir(part, S_IRWXU);
        *slash = '/';
    }
    free(part);
}

/* ---- keys and files ---- */

/* None where the driver does not say what it is, or without memory. */
static block make_key(const clgrad_cl_context *cl, const clgrad_cl_recipe *recipe)
{
    const clgrad_device *device = &cl->base.device;
    char platform_version[512] = "", about[2048];
    cl_platform_id platform = NULL;
    cl_uint address_bits = 0;
    cl_int error = CL_SUCCESS;
    clgrad_cl_ask(&error, cl->device, CL_DEVICE_ADDRESS_BITS, sizeof address_bits, &address_bits);
    clgrad_cl_ask(&error, cl->device, CL_DEVICE_PLATFORM, sizeof platform, &platform);
    if (error == CL_SUCCESS)
        error =
            clGetPlatformInfo(platform, CL_PLATFORM_VERSION, sizeof platform_version, platform_version, NULL);
    if (error != CL_SUCCESS)
        return (block){0};
    snprintf(about, sizeof about, "%s\n%s\n%s\n%s\n%u bits\n%s\n", device->name, device->vendor,
             device->driver, platform_version, address_bits, recipe->options);

    block key = {.count = strlen(about)};
    for (cl_uint i = 0; i < recipe->count; i++)
        key.count += strlen(recipe->pieces[i]);
    key.bytes = malloc(key.count + 1);
    if (key.bytes == NULL)
        return (block){0};
    char *end = (char *)key.bytes;
    end = stpcpy(end, about);
    for (cl_uint i = 0; i < recipe->count; i++)
        end = stpcpy(end, recipe->pieces[i]);
    return key;
}

/* NULL for no key, or without memory. */
static char *make_path(const clgrad_cl_context *cl, block key)
{
    char name[17];
    if (key.bytes == NULL)
        return NULL;
    snprintf(name, sizeof name, "%016llx", (unsigned long long)hash(hash_basis, key));
    return join(cl->cache_folder, name);
}

/* A file's contents; not another user's, whose code would run here. */
static block read_file(const char *path)
{
    block whole = {0};
    struct stat about;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return whole;
    if (fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == geteuid() &&
        about.st_size > 0)
        whole = (block){malloc((size_t)about.st_size), (size_t)about.st_size};
    if (whole.bytes != NULL && fread(whole.bytes, whole.count, 1, file) != 1) {
        free(whole.bytes);
        whole = (block){0};
    }
    fclose(file);
    return whole;
}

/* Where in the file's contents the binary lies; none unless the file is whole and its key this one. */
static block find_binary(block file, block key)
{
    const block none = {0};
    header h;
    if (file.bytes == NULL || file.count < sizeof h)
        return none;
    memcpy(&h, file.bytes, sizeof h);
    const size_t rest = file.count - sizeof h;
    if (memcmp(h.magic, magic, sizeof magic) != 0 || h.key_bytes != key.count || rest <= key.count ||
        h.binary_bytes != rest - key.count)
        return none;
    const block contents = {file.bytes + sizeof h, rest},
                binary = {contents.bytes + key.count, rest - key.count};
    return h.checksum == hash(hash_basis, contents) && memcmp(contents.bytes, key.bytes, key.count) == 0
               ? binary
               : none;
}

static void write_file(const clgrad_cl_context *cl, const char *path, block key, block binary)
{
    header h = {.key_bytes = key.count,
                .binary_bytes = binary.count,
                .checksum = hash(hash(hash_basis, key), binary)};
    memcpy(h.magic, magic, sizeof magic);
    make_folder(cl->cache_folder);
    char *temporary = join(cl->cache_folder, "new-XXXXXX");
    const int descriptor = temporary != NULL ? mkstemp(temporary) : -1;
    FILE *file = descriptor != -1 ? fdopen(descriptor, "wb") : NULL;
    if (file != NULL) {
        bool is_written = fwrite(&h, sizeof h, 1, file) == 1 && fwrite(key.bytes, key.count, 1, file) == 1 &&
                          fwrite(binary.bytes, binary.count, 1, file) == 1;
        is_written &= fclose(file) == 0;
        if (!is_written || rename(temporary, path) != 0)
            unlink(temporary);
    } else if (descriptor != -1) {
        close(descriptor);
        unlink(temporary);
    }
    free(temporary);
}

/* ---- programs ---- */

cl_program clgrad_cl_load_program(clgrad_cl_context *cl, const clgrad_cl_recipe *recipe)
{
    if (cl->cache_folder == NULL)
        return NULL;
    const block key = make_key(cl, recipe);
    char *path = make_path(cl, key);
    const block file = path != NULL ? read_file(path) : (block){0}, binary = find_binary(file, key);
    cl_program program = NULL;
    if (binary.bytes != NULL) {
        const unsigned char *bytes = binary.bytes;
        program = clCreateProgramWithBinary(cl->context, 1, &cl->device, &binary.count, &bytes, NULL, NULL);
        if (program == NULL ||
            clBuildProgram(program, 1, &cl->device, recipe->options, NULL, NULL) != CL_SUCCESS) {
            /* The driver has changed without saying so; a fresh file will take this one's place. */
            if (program != NULL)
                clReleaseProgram(program);
            program = NULL;
            unlink(path);
        }
    }
    free(file.bytes);
    free(path);
    free(key.bytes);
    return program;
}

void clgrad_cl_save_program(clgrad_cl_context *cl, const clgrad_cl_recipe *recipe, cl_program program)
{
    cl_uint devices = 0;
    if (cl->cache_folder == NULL)
        return;
    /* A caller's context may have several devices, each with a binary or none: not worth it. */
    clGetProgramInfo(program, CL_PROGRAM_NUM_DEVICES, sizeof devices, &devices, NULL);
    if (devices != 1)
        return;
    const block key = make_key(cl, recipe);
    char *path = make_path(cl, key);
    const block present = path != NULL ? read_file(path) : (block){0};
    block binary = {0};
    /* Another process may have been first. */
    if (path != NULL && find_binary(present, key).bytes == NULL &&
        clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof binary.count, &binary.count, NULL) ==
            CL_SUCCESS &&
        binary.count > 0)
        binary.bytes = malloc(binary.count);
    if (binary.bytes != NULL && clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary.bytes,
                                                 &binary.bytes, NULL) == CL_SUCCESS)
        write_file(cl, path, key, binary);
    free(binary.bytes);
    free(present.bytes);
    free(path);
    free(key.bytes);
}
