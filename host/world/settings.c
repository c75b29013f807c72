/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c -- the top level of a configuration, and the list of its parts; see world.h and options.h. */
#include <sys/socket.h>
#include <unistd.h>

#include "world/catalogue.h"
#include "world/options.h"
#include "world/plugin.h"
#include "world/value.h"

static const char *const durabilities[] = {"batched", "strict", NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};

#define OPT(...) WEIR_OPT(struct settings, __VA_ARGS__)

const struct weir_option settings_options[] = {
    OPT(listen, "127.0.0.1:8080",
        "Where clients connect: \"ADDR:PORT\" or \"[V6]:PORT\", in numbers.  Without any key in the "
        "file this must be an address of this machine alone."),
    OPT(admin, "", "Where /metrics, /ready and /health of the recorder answer, as \"ADDR:PORT\"; empty: nowhere."),
    OPT(state, "./state", "Folder of the journal and of the sinks' cursors; it is made when it is missing.",
        .unit = WEIR_PATH),
    OPT(plugins, "", "Folder that holds <kind>/<name>.so; empty: the one that was built or installed with this weir.",
        .unit = WEIR_PATH),
    OPT(dialects, "",
        "APIs that clients may speak, by the names of their plugins in <plugins>/providers; none: each of openai, "
        "anthropic, "
        "responses, gemini, bedrock, cohere that is there, and what the providers speak."),
    OPT(presets, "",
        "File of known vendors and servers, for `preset` of a provider; empty: the one that belongs to this weir.",
        .unit = WEIR_PATH),
    OPT(catalogue, "", "File of models, their limits and prices; empty: the one that belongs to this weir.",
        .unit = WEIR_PATH),
    OPT(tls_cert, "", "PEM file with the listener's certificate and its chain; empty: plain HTTP.", .unit = WEIR_PATH),
    OPT(tls_key, "", "PEM file with the private key of tls_cert.", .unit = WEIR_PATH),
    OPT(durability, "batched",
        "\"strict\": no byte goes upstream before its record is on the disk.  \"batched\": a power cut may "
        "take the records of the last 50 ms.",
        .choices = durabilities),
    OPT(log_level, "info", "Lines above this level are left out of the log.", .choices = levels),
    OPT(workers, "0", "Processes that serve clients; 0: one for each core.", .min = 0, .max = 1024),
    OPT(cors_origins, "",
        "Origins whose web pages may call weir, such as \"https://app.example\"; \"*\": all; none: CORS is off."),
    OPT(max_connections, "16384", "Client connections of one worker; others wait until one of them ends.", .min = 1,
        .max = 1000000),
    OPT(max_head, "32k", "Bytes of a request's head.", .unit = WEIR_BYTES, .min = 1024, .max = 1 << 20),
    OPT(max_headers, "100", "Headers of a request.", .min = 8, .max = 128),
    OPT(max_body, "32M", "Bytes of a request's body.", .unit = WEIR_BYTES, .min = 1024, .max = 1 << 30),
    OPT(max_form, "512M", "Bytes of a form with files (multipart/form-data), on paths that take one.",
        .unit = WEIR_BYTES, .min = 1024, .max = INT32_MAX),
    OPT(form_memory, "1M", "Of these, bytes that are held in memory; longer forms wait in a nameless file under state.",
        .unit = WEIR_BYTES, .min = 0, .max = 1 << 30),
    OPT(max_response, "64M",
        "Bytes of an answer that is no stream or that a guardrail reads, and of one record of any stream.",
        .unit = WEIR_BYTES, .min = 1024, .max = 1 << 30),
    OPT(max_media, "256M", "The same, of an answer with pictures or sound in its JSON.", .unit = WEIR_BYTES,
        .min = 1024, .max = 1 << 30),
    OPT(json_depth, "128", "Levels of arrays and objects in a body.", .min = 8, .max = 1024),
    OPT(json_nodes, "1000000", "Values and keys in a body.", .min = 100, .max = 50000000),
    OPT(head_timeout, "10s", "Time for a request's head to arrive.", .unit = WEIR_MS, .min = 100, .max = 3600000),
    OPT(body_timeout, "30s", "Time for a request's body to arrive before body_min_rate is asked of it.",
        .unit = WEIR_MS, .min = 100, .max = 3600000),
    OPT(idle_timeout, "75s", "Time that a connection may stand idle between two requests.", .unit = WEIR_MS, .min = 100,
        .max = 3600000),
    OPT(write_timeout, "60s", "Time that a client may take nothing of an answer.", .unit = WEIR_MS, .min = 100,
        .max = 3600000),
    OPT(body_min_rate, "1k", "Bytes a second that a body must come at, once body_timeout is over.", .unit = WEIR_BYTES,
        .min = 1, .max = 1 << 30),
    OPT(strict_wait, "2s",
        "Time that a request waits for its record to be on the disk when durability is \"strict\"; then 503.",
        .unit = WEIR_MS, .min = 10, .max = 60000),
    OPT(drain_timeout, "30s", "Time that requests get to end when weir stops.", .unit = WEIR_MS, .min = 0,
        .max = 3600000),
    OPT(ring_size, "16M", "Bytes of records that wait between one worker and the recorder.", .unit = WEIR_BYTES,
        .min = 1 << 20, .max = 1 << 30),
    OPT(segment_size, "64M", "Bytes of one file of the journal.", .unit = WEIR_BYTES, .min = 1 << 16, .max = 1 << 30),
    OPT(journal_keep, "1G", "Bytes of journal that are kept when every sink has read them.", .unit = WEIR_BYTES,
        .min = 1 << 20, .max = (double)(1LL << 50)),
    WEIR_OPT_END,
};

const struct section sections[] = {
    {"settings", "", "setting", "The top level of the file.", settings_options},
    {"providers", "providers", "provider",
     "Where requests may go: a list of blocks.  Without this list weir uses the mock, each "
     "vendor whose key is in the environment, and local servers that answer.",
     provider_options},
    {"guardrails", "guardrails", "guardrail", "What looks at requests and answers, in this order: a list of blocks.",
     stage_options},
    {"sinks", "sinks", "sink", "Who is told of every request, from the journal: a list of blocks.", sink_options},
    {"keys", "", "key",
     "Who may call: a list of blocks, made by \"weir keys new\".  Without any, every client on this machine is "
     "let in as \"local\".",
     key_options},
    {"models", "", "model",
     "What you know of models: a list of blocks, laid over the catalogue in this order.  What a block does not say is "
     "as "
     "the catalogue has it; what that does not know is unknown.",
     model_options},
    {NULL, NULL, NULL, NULL, NULL},
};

/* An address that is typed wrong is told by the line that has it. */
static void check_address(struct build *b, const char *name, const char *text)
{
    struct sockaddr_storage a;
    size_t n;

    if (!*text || value_address(text, &a, &n, NULL))
        return;
    build_fault(b, build_place(b, b->root ? config_setting_get_member(b->root, name) : NULL),
                "%s \"%.80s\" is no address; write it as \"127.0.0.1:8080\" or \"[::1]:8080\"", name, text);
}

static void check_tls(struct build *b, const struct settings *s)
{
    bool cert = *s->tls_cert, key = *s->tls_key;

    if (cert == key)
        return;
    build_fault(b, build_place(b, config_setting_get_member(b->root, cert ? "tls_cert" : "tls_key")),
                "%s stands without %s; TLS needs both", cert ? "tls_cert" : "tls_key", cert ? "tls_key" : "tls_cert");
}

/* What belongs to this program: `built` lies beside it where it was built, `installed` below the prefix. */
static const char *own_path(struct arena *a, const char *built, const char *installed)
{
    char exe[4096], *slash;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    const char *near;

    if (n <= 0)
        return built;
    exe[n] = '\0';
    slash = strrchr(exe, '/');
    if (slash)
        *slash = '\0';
    near = arena_printf(a, "%s/%s", exe, built);
    if (access(near, F_OK) == 0)
        return near;
    slash = strrchr(exe, '/');
    if (slash && strcmp(slash, "/bin") == 0)
        return arena_printf(a, "%.*s/%s", (int)(slash - exe), exe, installed);
    return near;
}

const char *plugin_folder(struct arena *a, const char *setting)
{
    return *setting ? setting : own_path(a, "plugins", "lib/weir/plugins");
}

const char *catalogue_path(struct arena *a, const char *setting)
{
    return *setting ? setting : own_path(a, "share/models.json", "share/weir/models.json");
}

static int line_of(const struct build *b, const char *setting)
{
    const config_setting_t *s = b->root ? config_setting_get_member(b->root, setting) : NULL;

    return s ? build_place(b, s).line : 0;
}

void settings_read(struct build *b, const char *listen)
{
    struct settings *s = &b->world->settings;
    struct block block = {.build = b, .setting = b->root, .place = build_place(b, NULL), .what = "settings"};
    const struct weir_option *const tables[] = {settings_options, NULL};
    const char *parts[sizeof(sections) / sizeof(sections[0])] = {0};

    for (size_t i = 1; sections[i].name; i++)
        parts[i - 1] = sections[i].name;
    options_known(&block, tables, parts);
    options_read(&block, settings_options, s);
    b->world->lines.listen = listen ? 0 : line_of(b, "listen");
    b->world->lines.admin = line_of(b, "admin");
    b->world->lines.state = line_of(b, "state");
    check_address(b, "listen", s->listen);
    check_address(b, "admin", s->admin);
    if (listen)
        s->listen = arena_strdup(&b->world->arena, str_of(listen));
    check_tls(b, s);
    if (!*s->presets)
        s->presets = own_path(&b->world->arena, "share/presets.conf", "share/weir/presets.conf");
    s->plugins = plugin_folder(&b->world->arena, s->plugins);
    s->catalogue = catalogue_path(&b->world->arena, s->catalogue);
}
