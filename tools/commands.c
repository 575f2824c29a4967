/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include "base/cleanup.h"

#define IF_GENERATION_HELP "only if generation N is the live one"

static const struct command_option watch_options[] = {
        [WATCH] = {"watch", NULL, "show it again every second, until interrupted"},
        {0},
};

static const struct command_option config_options[] = {
        [CONFIG_ORIGIN] = {"origin", NULL, "show where each key comes from"},
        {0},
};

static const struct command_option reload_options[] = {
        [RELOAD_DRY_RUN] = {"dry-run", NULL, "show what would change, and change nothing"},
        [RELOAD_FORCE] = {"force", NULL, "make a new generation even if nothing changed"},
        [RELOAD_IF_GENERATION] = {"if-generation", "N", IF_GENERATION_HELP},
        [RELOAD_CONFIRM] = {"confirm", "SECONDS", "go back unless 'confirm' comes in time"},
        {0},
};

static const struct command_option runtime_add_options[] = {
        [RUNTIME_IF_GENERATION] = {"if-generation", "N", IF_GENERATION_HELP},
        [RUNTIME_PATH] = {"path", "P", "the binary: a path, or a name to look up in PATH"},
        [RUNTIME_ARG] = {"arg", "A", "an argument for it; may be repeated"},
        [RUNTIME_TYPE] = {"type", "T", "the shim, instead of a binary"},
        [RUNTIME_OPTION] = {"option", "K=V", "an option for the shim; may be repeated"},
        {0},
};

static const struct command_option runtime_rm_options[] = {
        [RUNTIME_IF_GENERATION] = {"if-generation", "N", IF_GENERATION_HELP},
        {0},
};

static const struct command_option set_default_options[] = {
        [SET_DEFAULT_IF_GENERATION] = {"if-generation", "N", IF_GENERATION_HELP},
        {0},
};

static const struct command_option events_options[] = {
        [EVENTS_SINCE] = {"since", "T", "those from then on"},
        [EVENTS_UNTIL] = {"until", "T", "those up to then"},
        [EVENTS_FOLLOW] = {"follow", NULL, "stay, and show new ones as they come"},
        [EVENTS_FILTER] = {"filter", "K=V", "those only, as 'docker events' has it; may be repeated"},
        {0},
};

static const struct command_option lock_options[] = {
        [LOCK_RUNTIME] = {"runtime", "NAME", "the runtime; without it the default"},
        [LOCK_ROOT] = {"root", "DIR", "the --root that its runtime is given"},
        {0},
};

static const struct command_option unlock_options[] = {
        [UNLOCK_ROOT] = {"root", "DIR", "the --root that it was locked in with"},
        {0},
};

static const struct command_option locks_options[] = {
        [LOCKS_ROOT] = {"root", "DIR", "those with this --root; '' are those without"},
        {0},
};

static const char watch_notes[] =
        "With --watch it ends by an interrupt, with exit code 0, and outlives a restart\n"
        "of rtregd. Where stdout is no terminal, each time is a block of its own.";

static const char resolve_notes[] = "Without NAME: the default runtime.";

static const char reload_notes[] =
        "With --confirm the new configuration is live at once. Without 'rtregctl confirm'\n"
        "within SECONDS, the one before it is live again. What comes from FILE lasts,\n"
        "confirmed or not, until the next reload from files, or a restart.";

static const char runtime_add_notes[] =
        "Either --path or --type. A value may begin with a dash: --arg --debug.\n"
        "The V of an option is a string, but true, false and integers are what they look\n"
        "like, and what begins with {, [ or \" must be JSON: --option 'N=\"5\"' is a string.\n"
        "The runtime is kept in a file of rtregd's own beside the configuration.";

static const char runtime_rm_notes[] =
        "Only one that 'rtregctl runtime add' has added. Exit code 4 if it has not.";

static const char set_default_notes[] =
        "It is kept in a file of rtregd's own beside the configuration. An empty NAME\n"
        "('') takes it out of there again.";

static const char events_notes[] =
        "Without --since: all that rtregd still knows; --follow alone: only new ones.\n"
        "T is a time in RFC 3339, a local date or date and time (2026-11-22T14:28:01),\n"
        "seconds since 1970, or how long ago: 90s, 10m, 1h30m.\n"
        "--follow ends by an interrupt as 'docker events' does, with exit code 0 when\n"
        "rtregd stops, 1 when events were lost because the output is too slow, 3 when the\n"
        "connection ends for another reason.";

static const char lock_notes[] =
        "A container that is locked in already keeps what it has, whatever the default is\n"
        "now; to ask for another runtime is an error. If the runtime's binary cannot be\n"
        "used, what an engine would exit with is told: 127 not found, 126 not executable.\n"
        "Without --root it is another container than with one. DIR may be relative.";

static const char unlock_notes[] =
        "For a container that is gone. Exit code 4 if it is not locked in. Its wrapper\n"
        "script stays until rtregd is started again. Engines give their runtimes a --root\n"
        "as a rule: what 'rtregctl locks' shows as ROOT belongs here, too.";

const struct command commands[] = {
        {"ls", "", "list the runtimes", 0, 0, cmd_ls, watch_options, watch_notes},
        {"resolve", "[NAME]", "what a container with this runtime gets", 0, 1, cmd_resolve, NULL,
         resolve_notes},
        {"config", "", "the effective configuration", 0, 0, cmd_config, config_options, NULL},
        {"status", "", "generation, uptime, last reload, pinned generations", 0, 0, cmd_status, watch_options,
         watch_notes},
        {"reload", "[FILE]", "read the configuration again, or take FILE instead", 0, 1, cmd_reload,
         reload_options, reload_notes},
        {"confirm", "", "keep what 'reload --confirm' has made live", 0, 0, cmd_confirm, NULL, NULL},
        {"diff", "FILE", "what a reload with FILE would change", 1, 1, cmd_diff, NULL, NULL},
        {"validate", "FILE", "check FILE; needs no daemon", 1, 1, cmd_validate, NULL, NULL},
        {"runtime add", "NAME", "add a runtime, or change one added before", 1, 1, cmd_runtime_add,
         runtime_add_options, runtime_add_notes},
        {"runtime rm", "NAME", "take away a runtime that was added", 1, 1, cmd_runtime_rm, runtime_rm_options,
         runtime_rm_notes},
        {"set-default", "NAME", "make a runtime the default", 1, 1, cmd_set_default, set_default_options,
         set_default_notes},
        {"history", "", "the last reloads, failed ones too", 0, 0, cmd_history, NULL, NULL},
        {"events", "", "what has happened, and what happens", 0, 0, cmd_events, events_options, events_notes},
        {"lock", "CONTAINER", "give a container its runtime, for as long as it lives", 1, 1, cmd_lock,
         lock_options, lock_notes},
        {"unlock", "CONTAINER", "forget what a container was given", 1, 1, cmd_unlock, unlock_options,
         unlock_notes},
        {"locks", "", "what containers were given", 0, 0, cmd_locks, locks_options, NULL},
        {"metrics", "", "the metrics as Prometheus reads them", 0, 0, cmd_metrics, NULL, NULL},
        {"completion", "bash|zsh|fish|names|containers", "a script for that shell, or names that it asks for",
         1, 1, cmd_completion, NULL, NULL},
        {"version", "", "versions of client and server", 0, 0, cmd_version, NULL, NULL},
        {"help", "[COMMAND]", "explain rtregctl, or one command", 0, 2, cmd_help, NULL, NULL},
};

const size_t command_count = ARRAY_SIZE(commands);

const struct common_option common_options[] = {
        {COMMON_SOCKET, false, "socket", "SOCKET", "default $RTREG_SOCKET, then " DEFAULT_SOCKET},
        {COMMON_JSON, false, "json", NULL, "print the daemon's JSON unchanged"},
        {COMMON_TIMEOUT, false, "timeout", "SECONDS", "how long a command may take (default 30)"},
        {COMMON_HELP, false, "help", NULL, "explain rtregctl, or a command"},
        {COMMON_VERSION, true, "version", NULL, "print the version of rtregctl"},
};

const size_t common_option_count = ARRAY_SIZE(common_options);
_Static_assert(ARRAY_SIZE(common_options) <= COMMON_OPTIONS_MAX, "more options than there is room for");
