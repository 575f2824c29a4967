/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include "base/cleanup.h"

static const struct command_option config_options[] = {
        [CONFIG_ORIGIN] = {"origin", NULL, "show where each key comes from"},
        {0},
};

static const struct command_option reload_options[] = {
        [RELOAD_DRY_RUN] = {"dry-run", NULL, "show what would change, and change nothing"},
        [RELOAD_FORCE] = {"force", NULL, "make a new generation even if nothing changed"},
        [RELOAD_IF_GENERATION] = {"if-generation", "N", "only if generation N is the live one"},
        {0},
};

const struct command commands[] = {
        {"ls", "", "list the runtimes", 0, 0, cmd_ls, NULL},
        {"resolve", "[NAME]", "what a container with this runtime gets (no NAME: the default)", 0, 1,
         cmd_resolve, NULL},
        {"config", "", "the effective configuration", 0, 0, cmd_config, config_options},
        {"status", "", "generation, uptime, last reload, pinned generations", 0, 0, cmd_status, NULL},
        {"reload", "[FILE]", "read the configuration again, or take FILE in its place", 0, 1, cmd_reload,
         reload_options},
        {"diff", "FILE", "what a reload with FILE would change", 1, 1, cmd_diff, NULL},
        {"validate", "FILE", "check FILE; needs no daemon", 1, 1, cmd_validate, NULL},
        {"history", "", "the last reloads, failed ones too", 0, 0, cmd_history, NULL},
        {"completion", "bash|zsh|fish|names", "a script for that shell; names: the runtimes", 1, 1,
         cmd_completion, NULL},
        {"version", "", "versions of client and server", 0, 0, cmd_version, NULL},
        {"help", "[COMMAND]", "explain rtregctl, or one command", 0, 1, cmd_help, NULL},
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
